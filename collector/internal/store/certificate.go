package store

import (
	"context"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.CertificateStore = (*Store)(nil)

// SaveCertificate implements fleet.CertificateStore. NotFound for an unknown machine,
// Conflict for a serial number that was used.
func (s *Store) SaveCertificate(ctx context.Context, c fleet.Certificate) error {
	return s.write(ctx, "keeping a certificate", func(ctx context.Context, q *db.Queries) error {
		row, err := machineRow(ctx, q, c.Machine)
		if err != nil {
			return err
		}
		return q.InsertCertificate(ctx, db.InsertCertificateParams{
			Serial: c.Serial, MachineID: row, NotBefore: micros(c.NotBefore), NotAfter: micros(c.NotAfter), RevokedAt: micros(c.RevokedAt),
			Issuer: c.Issuer,
		})
	})
}

func machineRow(ctx context.Context, q *db.Queries, id string) (int64, error) {
	row, err := q.MachineRow(ctx, strings.ToLower(id))
	key, args := noMachine(id)
	return row, unknown(err, key, args)
}

// Certificates implements fleet.CertificateStore: newest first.
func (s *Store) Certificates(ctx context.Context, machine string) (out []fleet.Certificate, err error) {
	err = s.read(ctx, "reading certificates", func(q *db.Queries) error {
		row, err := machineRow(ctx, q, machine)
		if err != nil {
			return err
		}
		found, err := q.CertificatesOf(ctx, row)
		for _, c := range found {
			out = append(out, fleet.Certificate{
				Serial: c.Serial, Machine: strings.ToLower(machine), NotBefore: fromMicros(c.NotBefore),
				NotAfter: fromMicros(c.NotAfter), RevokedAt: fromMicros(c.RevokedAt), Issuer: c.Issuer,
			})
		}
		return err
	})
	return out, err
}

// RevokeCertificates implements fleet.CertificateStore. Those revoked already keep
// their time.
func (s *Store) RevokeCertificates(ctx context.Context, machine string, at time.Time) error {
	return s.write(ctx, "revoking certificates", func(ctx context.Context, q *db.Queries) error {
		row, err := machineRow(ctx, q, machine)
		if err != nil {
			return err
		}
		return q.RevokeMachineCertificates(ctx, db.RevokeMachineCertificatesParams{RevokedAt: micros(at), MachineID: row})
	})
}

// RestoreCertificates implements fleet.CertificateStore.
func (s *Store) RestoreCertificates(ctx context.Context, machine string, revokedAt time.Time) error {
	return s.write(ctx, "restoring certificates", func(ctx context.Context, q *db.Queries) error {
		row, err := machineRow(ctx, q, machine)
		if err != nil || revokedAt.IsZero() {
			return err
		}
		return q.RestoreMachineCertificates(ctx, db.RestoreMachineCertificatesParams{MachineID: row, RevokedAt: micros(revokedAt)})
	})
}

// RevokedSerials implements fleet.CertificateStore.
func (s *Store) RevokedSerials(ctx context.Context, notAfter time.Time) (serials []string, err error) {
	err = s.read(ctx, "reading revoked certificates", func(q *db.Queries) error {
		serials, err = q.RevokedSerials(ctx, micros(notAfter))
		return err
	})
	return serials, err
}

// Certificate implements fleet.CertificateStore.
func (s *Store) Certificate(ctx context.Context, serial string) (c fleet.Certificate, err error) {
	serial = strings.ToLower(strings.TrimSpace(serial))
	err = s.read(ctx, "reading a certificate", func(q *db.Queries) error {
		v, err := q.CertificateBySerial(ctx, serial)
		c = fleet.Certificate{Serial: v.Serial, Issuer: v.Issuer, Machine: v.Uuid, NotBefore: fromMicros(v.NotBefore), NotAfter: fromMicros(v.NotAfter), RevokedAt: fromMicros(v.RevokedAt)}
		return unknown(err, "certificate.unknown", apperr.Args{"serial": serial})
	})
	return c, err
}

// RevokeCertificate implements fleet.CertificateStore. One revoked already keeps its time.
func (s *Store) RevokeCertificate(ctx context.Context, serial string, at time.Time) error {
	return s.write(ctx, "revoking a certificate", func(ctx context.Context, q *db.Queries) error {
		return q.RevokeCertificate(ctx, db.RevokeCertificateParams{RevokedAt: micros(at), Serial: serial})
	})
}

// NameCA implements fleet.CertificateStore.
func (s *Store) NameCA(ctx context.Context, fingerprint string) error {
	return s.write(ctx, "naming the ca", func(ctx context.Context, q *db.Queries) error {
		if err := q.NameCertificateIssuer(ctx, fingerprint); err != nil {
			return err
		}
		return q.NameTokenCA(ctx, fingerprint)
	})
}
