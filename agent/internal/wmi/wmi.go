// Package wmi owns asking Windows Management Instrumentation: one small interface, a
// live one under a deadline, and recorded answers for tests (package wmitest). It
// refuses to call methods and to change anything.
package wmi

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Namespaces asked here.
const (
	CIMV2          = `root\CIMV2`
	Monitors       = `root\wmi`
	SecurityCenter = `root\SecurityCenter2`
	Defender       = `root\Microsoft\Windows\Defender`
	Encryption     = `root\CIMV2\Security\MicrosoftVolumeEncryption`
	TPM            = `root\CIMV2\Security\MicrosoftTpm`
	Storage        = `root\Microsoft\Windows\Storage`
	Firewall       = `root\StandardCimv2`
)

// ErrAbsent says that this Windows has no such namespace or class.
var ErrAbsent = errors.New("no such WMI namespace or class")

// Asker asks one question. rows points to a slice of structs whose fields have the names
// of the properties wanted; a field without a property stays zero. Dates are text, see
// Time. It returns ErrAbsent (wrapped) where there is nobody to ask, and obeys ctx also
// where the service behind does not.
type Asker interface {
	Query(ctx context.Context, namespace, query string, rows any) error
}

// Time reads a date as WMI writes it, yyyymmddHHMMSS.ffffff±mmm; zero for an interval,
// for nonsense and for "never", which products write as 1601 or 1970.
func Time(text string) time.Time {
	if len(text) != 25 {
		return time.Time{}
	}
	t, err := time.Parse("20060102150405.000000", text[:21])
	minutes, err2 := strconv.Atoi(text[21:])
	if strings.ContainsAny(text, "*:") || err != nil || err2 != nil || t.Year() < 1980 || t.Year() > 2100 {
		return time.Time{}
	}
	return t.Add(-time.Duration(minutes) * time.Minute).UTC()
}
