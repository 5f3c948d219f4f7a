package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"vigia/internal/inventory"
	vigiav1 "vigia/proto/vigia/v1"
)

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func samplePrograms(n int, seed uint64) []inventory.Program {
	r := rand.New(rand.NewPCG(seed, 7))
	list := make([]inventory.Program, n)
	for i := range list {
		list[i] = inventory.Program{Name: fmt.Sprintf("lib%s-%d", []string{"gtk", "ssl", "perl", "x11"}[r.IntN(4)], i),
			Version:   fmt.Sprintf("%d.%d.%d-%d+deb12u%d", r.IntN(9), r.IntN(40), r.IntN(20), r.IntN(5), r.IntN(3)),
			Publisher: fmt.Sprintf("Maintainers of group %d <group%d@example.com>", i%30, i%30), Origin: "Debian", Source: "deb", Scope: inventory.ScopeMachine,
			Arch: []string{"amd64", "all"}[r.IntN(2)], InstalledAt: testTime.Add(-time.Duration(r.IntN(9000)) * time.Hour), Requested: r.IntN(5) == 0}
		if i%50 == 0 {
			list[i].Path = fmt.Sprintf("/opt/tool%d/bin/tool", i)
			list[i].SHA256 = strings.Repeat(fmt.Sprintf("%02x", i%256), 32)
		}
	}
	list, _ = inventory.NormalizePrograms(list)
	return list
}

func sampleReport(programs int) *Report {
	list := samplePrograms(programs, 1)
	return &Report{ID: ID{1, 2, 3, 15: 9}, TakenAt: testTime, Protocol: 1, AgentVersion: "1.2.3", Cause: CauseSchedule,
		Sections: []SectionUpdate{
			{Section: inventory.SectionMachine, Result: inventory.Digest{1}, Body: BodyDocument, Document: []byte(`{"hostname":"pc-017"}`)},
			{Section: inventory.SectionSoftware, Result: inventory.DigestSoftware(list), Body: BodySoftware, Software: list},
		},
		Dropped: []Dropped{{Reports: 3, Bytes: 12345, Reason: DroppedSize, Oldest: testTime.Add(-time.Hour), Newest: testTime}}}
}

func anyText(label string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 3).Draw(t, label+" kind") == 0 {
			return string(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, label)) // broken UTF-8 and NUL too
		}
		return rapid.StringN(0, 12, -1).Draw(t, label)
	})
}

func anyProgram() *rapid.Generator[inventory.Program] {
	return rapid.Custom(func(t *rapid.T) inventory.Program {
		p := inventory.Program{Requested: rapid.Bool().Draw(t, "requested"), Base: rapid.Bool().Draw(t, "base"), Hidden: rapid.Bool().Draw(t, "hidden")}
		for i, f := range []*string{&p.Name, &p.Version, &p.Publisher, &p.Origin, &p.Source, &p.Scope, &p.User, &p.Path, &p.Arch, &p.Signer} {
			*f = anyText(fmt.Sprint("field", i)).Draw(t, "text")
		}
		if rapid.Bool().Draw(t, "hashed") {
			p.SHA256 = hex.EncodeToString(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "sha256"))
		}
		if s := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "installed"); s != 0 {
			p.InstalledAt = time.Unix(s, 0).UTC()
		}
		return p
	})
}

func anyDigest(t *rapid.T, label string) inventory.Digest {
	return inventory.Digest(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label))
}

func anyReport() *rapid.Generator[*Report] {
	return rapid.Custom(func(t *rapid.T) *Report {
		r := &Report{ID: ID(rapid.SliceOfN(rapid.ByteRange(1, 255), 16, 16).Draw(t, "id")), TakenAt: fromMilli(rapid.Int64Range(1, 1<<42).Draw(t, "taken")),
			Protocol: rapid.Uint32().Draw(t, "protocol"), AgentVersion: rapid.StringN(0, 9, -1).Draw(t, "version"), Cause: rapid.StringN(0, 9, -1).Draw(t, "cause")}
		for range rapid.IntRange(0, 4).Draw(t, "sections") {
			s := SectionUpdate{Section: rapid.SampledFrom(inventory.Sections()).Draw(t, "section"), Result: anyDigest(t, "result")}
			switch {
			case s.Section != inventory.SectionSoftware:
				s.Body, s.Document = BodyDocument, rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "document")
			case rapid.Bool().Draw(t, "delta"):
				s.Body, s.Base = BodyDelta, anyDigest(t, "base")
				s.Delta = &inventory.Delta{Base: s.Base, Result: s.Result, Set: listOrNil(rapid.SliceOfN(anyProgram(), 0, 4).Draw(t, "set"))}
				for range rapid.IntRange(0, 4).Draw(t, "removed") {
					s.Delta.Removed = append(s.Delta.Removed, inventory.Key(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")))
				}
			default:
				s.Body, s.Software = BodySoftware, listOrNil(rapid.SliceOfN(anyProgram(), 0, 9).Draw(t, "software"))
			}
			r.Sections = append(r.Sections, s)
		}
		for range rapid.IntRange(0, 2).Draw(t, "dropped") {
			r.Dropped = append(r.Dropped, Dropped{Reports: rapid.Uint32().Draw(t, "n"), Bytes: rapid.Uint64().Draw(t, "bytes"), Reason: "size",
				Oldest: fromMilli(rapid.Int64Range(1, 1<<42).Draw(t, "oldest")), Newest: fromMilli(rapid.Int64Range(1, 1<<42).Draw(t, "newest"))})
		}
		return r
	})
}

func listOrNil[T any](l []T) []T {
	if len(l) == 0 {
		return nil
	}
	return l
}

func TestRoundTrip(t *testing.T) {
	c := NewCodec(Limits{})
	rapid.Check(t, func(t *rapid.T) {
		want := anyReport().Draw(t, "report")
		data, err := c.EncodeReport(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.DecodeReport(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, want)
		}
	})
}

// TestSameAsGeneratedCode holds the hand-written encoding to the .proto file.
func TestSameAsGeneratedCode(t *testing.T) {
	c := NewCodec(Limits{})
	report := sampleReport(60)
	next := samplePrograms(60, 1)[5:]
	d := inventory.Diff(report.Sections[1].Software, append(next, samplePrograms(3, 99)...))
	report.Sections = append(report.Sections, SectionUpdate{Section: inventory.SectionSoftware, Base: d.Base, Result: d.Result, Body: BodyDelta, Delta: &d})
	data, err := c.EncodeReport(report)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.Unpack(data)
	if err != nil {
		t.Fatal(err)
	}
	var m vigiav1.Report
	if err := proto.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.ProtoReflect().GetUnknown()) != 0 || len(m.Sections) != 3 || len(m.Sections[1].GetSoftware().Programs) != 60 ||
		len(m.Sections[2].GetDelta().RemovedKeys) == 0 || m.Dropped[0].Bytes != 12345 || m.TakenAtUnixMs != testTime.UnixMilli() {
		t.Fatalf("generated code read %v", &m)
	}
	p, w := m.Sections[1].GetSoftware().Programs[0], report.Sections[1].Software[0]
	if p.Name != w.Name || p.Publisher != w.Publisher || p.InstalledAtUnix != w.InstalledAt.Unix() || hex.EncodeToString(p.Sha256) != w.SHA256 || p.Arch != w.Arch || p.Path != w.Path {
		t.Fatalf("generated code read %v, want %+v", p, w)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := c.Pack(again)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.DecodeReport(packed); err != nil || !reflect.DeepEqual(got, report) {
		t.Fatalf("what generated code wrote reads as %+v, %v", got, err)
	}
}

func packed(t testing.TB, c *Codec, m *vigiav1.Report) []byte {
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.Pack(raw)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOddSectionsAreRemarksNotErrors(t *testing.T) {
	c := NewCodec(Limits{Programs: 10, Document: 100})
	many := &vigiav1.Software{}
	for range 25 {
		many.Programs = append(many.Programs, &vigiav1.Program{Name: "x"})
	}
	r, err := c.DecodeReport(packed(t, c, &vigiav1.Report{Id: bytes.Repeat([]byte{1}, 16), Sections: []*vigiav1.SectionUpdate{
		{Section: "printers", Body: &vigiav1.SectionUpdate_Document{Document: []byte("{}")}},
		{Section: "machine"},
		{Section: "system", Body: &vigiav1.SectionUpdate_Software{Software: &vigiav1.Software{}}},
		{Section: "software", Body: &vigiav1.SectionUpdate_Document{Document: []byte("[]")}},
		{Section: "hardware", Body: &vigiav1.SectionUpdate_Document{Document: make([]byte, 101)}},
		{Section: "antivirus", Body: &vigiav1.SectionUpdate_Document{Document: []byte("[]")}},
		{Section: "software", Body: &vigiav1.SectionUpdate_Software{Software: many}},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sections) != 2 || r.Sections[0].Section != "antivirus" || len(r.Sections[1].Software) != 10 {
		t.Fatalf("kept %+v", r.Sections)
	}
	var problems []string
	for _, m := range r.Remarks {
		problems = append(problems, m.Problem)
	}
	if want := []string{ProblemUnknownSection, ProblemNoBody, ProblemNoBody, ProblemNoBody, "too-long", "too-many"}; !reflect.DeepEqual(problems, want) || r.Remarks[5].Value != "15" {
		t.Fatalf("remarks %+v", r.Remarks)
	}
}

func TestBadReports(t *testing.T) {
	c := NewCodec(Limits{})
	good := packed(t, c, &vigiav1.Report{Id: bytes.Repeat([]byte{1}, 16)})
	if _, err := c.DecodeReport(good); err != nil {
		t.Fatal(err)
	}
	raw := func(b []byte) []byte {
		data, err := c.Pack(b)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	sec := func(s *vigiav1.SectionUpdate) []byte {
		return packed(t, c, &vigiav1.Report{Id: bytes.Repeat([]byte{1}, 16), Sections: []*vigiav1.SectionUpdate{s}})
	}
	for name, data := range map[string][]byte{
		"empty": nil, "not zstd": []byte("hello, this is not zstd"), "torn": good[:len(good)-3],
		"no id": packed(t, c, &vigiav1.Report{Protocol: 1}), "short id": packed(t, c, &vigiav1.Report{Id: []byte{1, 2}}),
		"zero id": packed(t, c, &vigiav1.Report{Id: make([]byte, 16)}), "not protobuf": raw([]byte{0xff, 0xff, 0xff}),
		"short digest":  sec(&vigiav1.SectionUpdate{Section: "machine", ResultDigest: []byte{1}}),
		"short key":     sec(&vigiav1.SectionUpdate{Section: "software", Body: &vigiav1.SectionUpdate_Delta{Delta: &vigiav1.SoftwareDelta{RemovedKeys: [][]byte{{1}}}}}),
		"endless group": raw(bytes.Repeat(protowire.AppendTag(nil, 9, protowire.StartGroupType), 100_000)),
	} {
		if r, err := c.DecodeReport(data); !errors.Is(err, ErrBadMessage) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestBombs(t *testing.T) {
	c := NewCodec(Limits{})
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	announced := enc.EncodeAll(make([]byte, 100<<20), nil)
	var quiet bytes.Buffer // a stream does not announce its size
	w, err := zstd.NewWriter(&quiet, zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	frames := bytes.Repeat(enc.EncodeAll(make([]byte, 1<<20), nil), 100)
	for name, data := range map[string][]byte{"announced": announced, "quiet": quiet.Bytes(), "many frames": frames, "long": make([]byte, 17<<20)} {
		if out, err := c.Unpack(data); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %d bytes became %d, %v", name, len(data), len(out), err)
		}
	}
	if out, err := c.Unpack(enc.EncodeAll(make([]byte, 2<<20), nil)); err != nil || len(out) != 2<<20 {
		t.Errorf("a harmless body: %d bytes, %v", len(out), err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	c := NewCodec(Limits{})
	for name, r := range map[string]*Report{
		"id":     {},
		"body":   {ID: ID{1}, Sections: []SectionUpdate{{Section: "machine"}}},
		"sha256": {ID: ID{1}, Sections: []SectionUpdate{{Section: "software", Body: BodySoftware, Software: []inventory.Program{{SHA256: "x"}}}}},
		"delta":  {ID: ID{1}, Sections: []SectionUpdate{{Section: "software", Body: BodyDelta, Delta: &inventory.Delta{Base: inventory.Digest{1}}}}},
	} {
		if _, err := c.EncodeReport(r); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewID(t *testing.T) {
	id, err := NewID(testTime, bytes.NewReader(bytes.Repeat([]byte{0xff}, 10)))
	if err != nil || id.String() != "01a20846-fe00-7fff-bfff-ffffffffffff" {
		t.Errorf("got %s, %v", id, err)
	}
	if _, err := NewID(testTime, bytes.NewReader(nil)); err == nil {
		t.Error("no error without randomness")
	}
}

func FuzzDecodeReport(f *testing.F) {
	c := NewCodec(Limits{Decoded: 1 << 20})
	data, err := c.EncodeReport(sampleReport(5))
	if err != nil {
		f.Fatal(err)
	}
	raw, err := c.Unpack(data)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := c.DecodeReport(raw); err != nil && !errors.Is(err, ErrBadMessage) {
			t.Fatal(err)
		}
		data, err := c.Pack(raw)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.DecodeReport(data)
		if err != nil {
			if !errors.Is(err, ErrBadMessage) {
				t.Fatal(err)
			}
			return
		}
		for i := range r.Sections { // what was accepted can go on
			s := inventory.Snapshot{Software: r.Sections[i].Software}
			s.Normalize()
			if r.Sections[i].Body == BodyDocument {
				if _, err := DecodeDocument(&s, r.Sections[i].Section, r.Sections[i].Document); err != nil && !errors.Is(err, ErrBadMessage) {
					t.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkDecode900(b *testing.B) {
	c := NewCodec(Limits{})
	data, err := c.EncodeReport(sampleReport(900))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(data)), "wire-bytes")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.DecodeReport(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode900(b *testing.B) {
	c := NewCodec(Limits{})
	r := sampleReport(900)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.EncodeReport(r); err != nil {
			b.Fatal(err)
		}
	}
}
