package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// Sizes of a large company: the console's pages must answer within 200 ms there.
const (
	benchMachines = 100_000
	benchTitles   = 60_000
	benchFindings = 60_000
)

// fillLarge writes what a large company's lists read, in bulk.
func fillLarge(b *testing.B, s *store.Store) {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	series := map[string]string{
		"sqlite":   "(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c)",
		"postgres": "(SELECT n FROM generate_series(1, %d::bigint) AS n)",
	}[s.Engine()]
	no := map[string]string{"sqlite": "0", "postgres": "false"}[s.Engine()]
	empty := map[string]string{"sqlite": "x''", "postgres": "''::bytea"}[s.Engine()]
	key := map[string]string{"sqlite": "cast(n AS BLOB)", "postgres": "int8send(n)"}[s.Engine()]
	now := noon.UnixMicro()
	must(s.InTx(context.Background(), func(ctx context.Context) error {
		for _, stmt := range []string{
			"INSERT INTO site (id, name, name_fold, remote) SELECT n, 'Site ' || n, 'site ' || n, " + no + " FROM " + fmt.Sprintf(series, 50) + " AS t",
			"INSERT INTO area (id, name, name_fold, manager) SELECT n, 'Area ' || n, 'area ' || n, '' FROM " + fmt.Sprintf(series, 100) + " AS t",
			`INSERT INTO person (id, email, name, name_fold, primary_machine, primary_fold, role, active) SELECT n, 'p' || n || '@example.com', 'Person ' || n, 'person ' || n, '', '', 'employee', ` +
				map[string]string{"sqlite": "1", "postgres": "true"}[s.Engine()] + " FROM " + fmt.Sprintf(series, 20_000) + " AS t",
			`INSERT INTO machine (id, uuid, hostname, hostname_fold, serial, serial_fold, hardware_uuid, machine_id, os, site_id, area_id, person_id, state, state_reason, state_at, enrolled_at, programs, findings)
				SELECT n, 'id-' || n, 'pc-' || (n * 7919 % 100000), 'pc-' || (n * 7919 % 100000), 'S' || n, 's' || n, '', '', 'Debian ' || (n % 7), 1 + n % 50, 1 + n % 100, 1 + n % 20000, 'active', '', ` +
				fmt.Sprintf("%d, %d - n * 1000000, n %% 2000, n %% 9 FROM ", now, now) + fmt.Sprintf(series, benchMachines) + " AS t",
			fmt.Sprintf("INSERT INTO machine_seen (machine_id, last_seen, last_report, agent_version, spooled) SELECT n, %d - n * 60000, %d - n * 60000, '0.1.0', 0 FROM ", now, now) + fmt.Sprintf(series, benchMachines) + " AS t",
			"INSERT INTO software_title (id, name, publisher, name_fold) SELECT n, 'Program ' || n, 'Publisher ' || (n % 900), 'program ' || n FROM " + fmt.Sprintf(series, benchTitles) + " AS t",
			fmt.Sprintf("INSERT INTO software_version (id, title_id, version, source, installs, first_seen) SELECT n, n, '1.' || (n %% 90), 'deb', 1 + n %% 9000, %d - n * 1000000 FROM ", now) + fmt.Sprintf(series, benchTitles) + " AS t",
			`INSERT INTO item (id, key, version_id, name, version, publisher, origin, source, scope, user_name, path, arch, requested, base, hidden, sha256, signer, first_seen)
				SELECT n, ` + key + `, n, 'Program ' || n, '1.0', 'Publisher ' || (n % 900), '', 'deb', 'machine', '', '', '', ` + no + ", " + no + ", " + no + ", '', '', 1 FROM " + fmt.Sprintf(series, benchTitles) + " AS t",
			`INSERT INTO finding (machine_id, item_id, ident, verdict, rule, reason, state, first_seen, last_seen, found_at, gone_at, report_id, gone_report_id, nonconformity, recurrences)
				SELECT 1 + n * 7 % 100000, n, ` + key + `, 'unauthorized', '', '', CASE WHEN n % 5 = 0 THEN 'open' ELSE 'gone' END, ` + fmt.Sprintf("%d - n * 1000000, %d, %d - n * 1000000", now, now, now) + ", 0, " + empty + ", " + empty + ", '', 0 FROM " + fmt.Sprintf(series, benchFindings) + " AS t",
		} {
			if _, err := s.On(ctx).ExecContext(ctx, stmt); err != nil {
				return fmt.Errorf("%.60s: %w", stmt, err)
			}
		}
		return nil
	}))
	analyze := map[string]string{"sqlite": "SELECT 1", "postgres": "ANALYZE"}[s.Engine()] // nobody runs ANALYZE on SQLite
	_, err := s.Writer().ExecContext(context.Background(), analyze)
	must(err)
}

// BenchmarkPages reads pages of a large company's lists by every sort and filter.
func BenchmarkPages(b *testing.B) {
	for _, open := range []func(testing.TB) *store.Store{
		storetest.SQLite, func(b testing.TB) *store.Store {
			return storetest.Open(b, store.Config{DatabaseURL: storetest.Postgres(b)})
		},
	} {
		s := open(b)
		fillLarge(b, s)
		ctx := context.Background()
		run := func(name string, read func() error) {
			b.Run(s.Engine()+"/"+name, func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					if err := read(); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			})
		}
		machines := func(f fleet.MachineFilter, o paging.Order) func() error {
			o.Limit = 50
			return func() error { _, err := s.MachinePage(ctx, f, o); return err }
		}
		for _, by := range []string{"hostname", "serial", "state", "os", "person", "site", "area", "agent", "seen", "report", "enrolled", "programs", "findings", "spooled"} {
			run("machines by "+by, machines(fleet.MachineFilter{}, paging.Order{By: by}))
		}
		run("machines middle", machines(fleet.MachineFilter{}, paging.Order{By: "hostname", After: paging.Place{Value: "pc-5", Key: "x"}}))
		run("machines site", machines(fleet.MachineFilter{Site: "Site 7"}, paging.Order{By: "seen", Desc: true}))
		run("machines none found", machines(fleet.MachineFilter{Query: "no such"}, paging.Order{}))
		run("machines silent", machines(fleet.MachineFilter{SilentSince: noon.Add(-100 * 24 * time.Hour)}, paging.Order{}))
		run("machines counted", func() error { _, err := s.CountMachines(ctx, fleet.MachineFilter{}, 10_001); return err })
		for _, by := range []string{"name", "version", "publisher", "source", "installs", "seen"} {
			run("programs by "+by, func() error {
				_, err := s.TitlePage(ctx, fleet.TitleFilter{}, paging.Order{By: by, Desc: true, Limit: 50})
				return err
			})
		}
		run("programs middle", func() error {
			_, err := s.TitlePage(ctx, fleet.TitleFilter{}, paging.Order{By: "name", Limit: 50, After: paging.Place{Value: "program 5", Key: "1"}})
			return err
		})
		run("programs none found", func() error {
			_, err := s.TitlePage(ctx, fleet.TitleFilter{Query: "no such"}, paging.Order{Limit: 50})
			return err
		})
		run("programs counted", func() error { _, err := s.CountTitles(ctx, fleet.TitleFilter{}, 10_001); return err })
		for _, by := range []string{"number", "program", "version", "publisher", "source", "machine", "state", "nonconformity", "since", "gone", "recurrences"} {
			run("findings by "+by, func() error {
				_, err := s.FindingPage(ctx, authorization.FindingFilter{}, paging.Order{By: by, Desc: true, Limit: 50})
				return err
			})
		}
		run("findings open by program", func() error {
			_, err := s.FindingPage(ctx, authorization.FindingFilter{State: authorization.Open}, paging.Order{By: "program", Limit: 50})
			return err
		})
		run("findings none found", func() error {
			_, err := s.FindingPage(ctx, authorization.FindingFilter{Query: "no such"}, paging.Order{Limit: 50})
			return err
		})
		run("findings counted", func() error { _, err := s.CountFindings(ctx, authorization.FindingFilter{}, 10_001); return err })
		run("home counts", func() error { _, err := s.Counts(ctx, noon); return err })
		run("home trend of findings", func() error {
			_, err := s.FindingDays(ctx, authorization.FindingFilter{}, noon.Add(-7*24*time.Hour), 7)
			return err
		})
		run("home trend of machines", func() error {
			_, err := s.MachineDays(ctx, fleet.MachineFilter{}, "seen", noon.Add(-14*24*time.Hour), 7)
			return err
		})
	}
}
