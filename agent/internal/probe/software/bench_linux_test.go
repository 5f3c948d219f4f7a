package software

import (
	"context"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

// The benchmarks tell what a whole look at this machine costs without a cache.
func BenchmarkDebUncached(b *testing.B)   { benchmark(b, Deb(), "") }
func BenchmarkDebCached(b *testing.B)     { benchmark(b, Deb(), b.TempDir()) }
func BenchmarkFilesUncached(b *testing.B) { benchmark(b, Files(FilesOptions{}), "") }
func BenchmarkFilesCached(b *testing.B)   { benchmark(b, Files(FilesOptions{}), b.TempDir()) }

func benchmark(b *testing.B, p probe.Probe, cache string) {
	b.ReportAllocs()
	for b.Loop() {
		var part inventory.Snapshot
		if _, err := p.Collect(context.Background(), &probe.Env{Root: "/", Now: time.Now(), CacheDir: cache}, &part); err != nil {
			b.Fatal(err)
		}
	}
}
