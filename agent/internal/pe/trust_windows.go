package pe

import (
	"crypto/x509"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	cacheOnly     = 0x4 // CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL: nothing is fetched
	notTimeNested = 0x2 // CERT_TRUST_IS_NOT_TIME_NESTED: no fault since 2004
)

// SystemTrust asks Windows, by what it has: crypto/x509 would let it fetch roots and
// intermediates from the network, which takes long where there is none.
func SystemTrust(leaf *x509.Certificate, others []*x509.Certificate, at time.Time, use x509.ExtKeyUsage) error {
	store, err := windows.CertOpenStore(windows.CERT_STORE_PROV_MEMORY, 0, 0, windows.CERT_STORE_DEFER_CLOSE_UNTIL_LAST_FREE_FLAG, 0)
	if err != nil {
		return fmt.Errorf("opening a store of certificates: %w", err)
	}
	defer windows.CertCloseStore(store, 0)
	var first *windows.CertContext
	for i, c := range append([]*x509.Certificate{leaf}, others...) {
		ctx, err := windows.CertCreateCertificateContext(windows.X509_ASN_ENCODING|windows.PKCS_7_ASN_ENCODING, &c.Raw[0], uint32(len(c.Raw)))
		if err != nil {
			return fmt.Errorf("reading a certificate: %w", err)
		}
		var kept *windows.CertContext
		err = windows.CertAddCertificateContextToStore(store, ctx, windows.CERT_STORE_ADD_ALWAYS, &kept)
		_ = windows.CertFreeCertificateContext(ctx)
		if err != nil {
			return fmt.Errorf("keeping a certificate: %w", err)
		}
		if i == 0 {
			first = kept
			defer windows.CertFreeCertificateContext(first)
		} else {
			_ = windows.CertFreeCertificateContext(kept)
		}
	}
	id := []byte("1.3.6.1.5.5.7.3.3\x00") // code signing
	if use == x509.ExtKeyUsageTimeStamping {
		id = []byte("1.3.6.1.5.5.7.3.8\x00")
	}
	ids := []*byte{&id[0]}
	para := &windows.CertChainPara{RequestedUsage: windows.CertUsageMatch{Type: windows.USAGE_MATCH_TYPE_AND,
		Usage: windows.CertEnhKeyUsage{Length: 1, UsageIdentifiers: &ids[0]}}}
	para.Size = uint32(unsafe.Sizeof(*para))
	moment := windows.NsecToFiletime(at.UnixNano())
	var chain *windows.CertChainContext
	if err := windows.CertGetCertificateChain(0, first, &moment, store, para, cacheOnly, 0, &chain); err != nil {
		return fmt.Errorf("building a chain: %w", err)
	}
	defer windows.CertFreeCertificateChain(chain)
	if status := chain.TrustStatus.ErrorStatus &^ notTimeNested; status != 0 {
		return fmt.Errorf("not trusted by this Windows (%#x)", status)
	}
	return nil
}
