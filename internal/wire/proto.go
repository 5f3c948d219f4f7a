package wire

import (
	"fmt"
	"strings"

	"vigia/internal/inventory"
	vigiav1 "vigia/proto/vigia/v1"
)

// MaxAckRemarks is how many remarks an Ack carries at most.
const MaxAckRemarks = 20

// FactsToProto returns what a machine tells of itself at enrollment. os is "linux" or
// "windows".
func FactsToProto(m inventory.Machine, os string) *vigiav1.MachineFacts {
	return &vigiav1.MachineFacts{Hostname: valid(m.Hostname), Serial: valid(m.Serial), Uuid: valid(m.UUID), MachineId: valid(m.MachineID), Os: valid(os)}
}

// FactsFromProto undoes FactsToProto. The result is not normalized.
func FactsFromProto(f *vigiav1.MachineFacts) (m inventory.Machine, os string) {
	return inventory.Machine{Hostname: f.GetHostname(), Serial: f.GetSerial(), UUID: f.GetUuid(), MachineID: f.GetMachineId()}, f.GetOs()
}

// DigestsToProto returns digests by section, as Welcome carries them.
func DigestsToProto(m map[inventory.Section]inventory.Digest) map[string][]byte {
	out := make(map[string][]byte, len(m))
	for s, d := range m {
		out[string(s)] = d[:]
	}
	return out
}

// DigestsFromProto undoes DigestsToProto; sections that this version does not know are
// left out.
func DigestsFromProto(m map[string][]byte) (map[inventory.Section]inventory.Digest, error) {
	out := make(map[inventory.Section]inventory.Digest, len(m))
	for _, s := range inventory.Sections() {
		b, ok := m[string(s)]
		if !ok {
			continue
		}
		d, err := inventory.DigestFromBytes(b)
		if err != nil {
			return nil, fmt.Errorf("%w: section %s: %v", ErrBadMessage, s, err)
		}
		out[s] = d
	}
	return out, nil
}

// RemarksToProto returns the first MaxAckRemarks remarks, as Ack carries them.
func RemarksToProto(list []inventory.Remark) []*vigiav1.Remark {
	out := make([]*vigiav1.Remark, 0, min(len(list), MaxAckRemarks))
	for _, r := range list[:min(len(list), MaxAckRemarks)] {
		out = append(out, &vigiav1.Remark{Section: valid(string(r.Section)), Entry: valid(r.Entry), Field: valid(r.Field), Problem: valid(r.Problem), Value: valid(r.Value)})
	}
	return out
}

// RemarksFromProto undoes RemarksToProto.
func RemarksFromProto(list []*vigiav1.Remark) []inventory.Remark {
	out := make([]inventory.Remark, 0, min(len(list), MaxAckRemarks))
	for _, r := range list[:min(len(list), MaxAckRemarks)] {
		out = append(out, inventory.Remark{Section: inventory.Section(r.GetSection()), Entry: r.GetEntry(), Field: r.GetField(), Problem: r.GetProblem(), Value: r.GetValue()})
	}
	return out
}

// SectionsFromProto keeps the section names that this version knows.
func SectionsFromProto(names []string) []inventory.Section {
	var out []inventory.Section
	for _, s := range inventory.Sections() {
		for _, n := range names {
			if n == string(s) {
				out = append(out, s)
				break
			}
		}
	}
	return out
}

// valid makes s fit a protobuf text, which must be UTF-8.
func valid(s string) string { return strings.ToValidUTF8(s, "") }
