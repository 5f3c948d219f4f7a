package store

import (
	"context"
	"strings"
	"time"

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
				NotAfter: fromMicros(c.NotAfter), RevokedAt: fromMicros(c.RevokedAt),
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
