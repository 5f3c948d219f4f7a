package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"vigia/internal/inventory"
)

func sampleSnapshot() *inventory.Snapshot {
	s := &inventory.Snapshot{TakenAt: testTime,
		Machine:   inventory.Machine{Hostname: "pc-017", Serial: "SN1"},
		Hardware:  inventory.Hardware{Vendor: "Example", CPUs: []inventory.CPU{{Model: "cpu", Cores: 4}}},
		System:    inventory.System{OS: "linux", Name: "Debian", BootedAt: testTime},
		Antivirus: []inventory.Antivirus{{Product: "ClamAV", State: "on", RealTime: "off", DefinitionsAt: testTime}},
		Sources:   []inventory.Source{{Source: "deb", Outcome: inventory.OutcomeOK, Entries: 3}}}
	s.Normalize()
	return s
}

func TestDocumentsRoundTripWithEqualDigests(t *testing.T) {
	want := sampleSnapshot()
	var got inventory.Snapshot
	for _, section := range inventory.Sections() {
		if section == inventory.SectionSoftware {
			continue
		}
		doc, err := EncodeDocument(want, section)
		if err != nil {
			t.Fatal(err)
		}
		if remarks, err := DecodeDocument(&got, section, doc); err != nil || len(remarks) != 0 {
			t.Fatal(section, remarks, err)
		}
	}
	got.Normalize()
	if !reflect.DeepEqual(got.Digests(), want.Digests()) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	if _, err := EncodeDocument(want, inventory.SectionSoftware); err == nil {
		t.Error("software has no document")
	}
}

func TestOneOddFieldDoesNotCostTheRest(t *testing.T) {
	var s inventory.Snapshot
	remarks, err := DecodeDocument(&s, inventory.SectionSystem, []byte(`{"name":"Debian","booted_at":"2000-0-0","kernel":7,"future":{"x":[1]},"os":"linux"}`))
	if err != nil || s.System.Name != "Debian" || s.System.OS != "linux" || len(remarks) != 2 {
		t.Errorf("%+v, %+v, %v", s.System, remarks, err)
	}
	remarks, err = DecodeDocument(&s, inventory.SectionAntivirus, []byte(`[{"product":"A"},{"product":"B","last_scan_at":"never"},7,{"product":"C"}]`))
	if err != nil || len(s.Antivirus) != 3 || s.Antivirus[1].Product != "B" || len(remarks) != 2 {
		t.Errorf("%+v, %+v, %v", s.Antivirus, remarks, err)
	}
}

func TestDocumentsBeyondBounds(t *testing.T) {
	was := sampleSnapshot()
	for name, doc := range map[string]string{
		"empty": "", "no json": "hello", "torn": `{"name":"x`, "a list": `[]`,
		"deep": strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
		"many": "[" + strings.Repeat("{},", maxValues) + "{}]",
	} {
		got := *was
		if _, err := DecodeDocument(&got, inventory.SectionHardware, []byte(doc)); !errors.Is(err, ErrBadMessage) {
			t.Errorf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(&got, was) {
			t.Errorf("%s: the snapshot changed", name)
		}
	}
	if err := bounded([]byte(`{"a":"` + strings.Repeat(`[{,\"`, 100_000) + `"}`)); err != nil {
		t.Errorf("brackets in a text counted: %v", err)
	}
}

func TestSmallTranslations(t *testing.T) {
	m := inventory.Machine{Hostname: "pc\xff", Serial: "S", UUID: "u", MachineID: "m"}
	got, os := FactsFromProto(FactsToProto(m, "linux"))
	if m.Hostname = "pc"; got != m || os != "linux" {
		t.Errorf("facts %+v %s", got, os)
	}
	digests := sampleSnapshot().Digests()
	p := DigestsToProto(digests)
	p["future"] = []byte("x")
	if back, err := DigestsFromProto(p); err != nil || !reflect.DeepEqual(back, digests) {
		t.Errorf("digests %v, %v", back, err)
	}
	p["system"] = []byte("x")
	if _, err := DigestsFromProto(p); !errors.Is(err, ErrBadMessage) {
		t.Errorf("short digest: %v", err)
	}
	remarks := make([]inventory.Remark, 30)
	remarks[0] = inventory.Remark{Section: "software", Entry: "e", Field: "f", Problem: "p", Value: "v"}
	if back := RemarksFromProto(RemarksToProto(remarks)); !reflect.DeepEqual(back, remarks[:MaxAckRemarks]) {
		t.Errorf("remarks %+v", back)
	}
	if got := SectionsFromProto([]string{"sources", "x", "machine", "machine"}); !reflect.DeepEqual(got, []inventory.Section{"machine", "sources"}) {
		t.Errorf("sections %v", got)
	}
	if _, err := IDFromBytes(bytes.Repeat([]byte{0}, 16)); err == nil {
		t.Error("zero id accepted")
	}
}

func FuzzDecodeDocument(f *testing.F) {
	for _, section := range []inventory.Section{inventory.SectionSystem, inventory.SectionAntivirus, inventory.SectionHardware} {
		doc, err := EncodeDocument(sampleSnapshot(), section)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(section), doc)
	}
	f.Fuzz(func(t *testing.T, section string, doc []byte) {
		var s inventory.Snapshot
		if _, err := DecodeDocument(&s, inventory.Section(section), doc); err == nil {
			s.Normalize()
			s.Digests()
		}
	})
}
