package app

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

func TestOtherProtocolsAreToldWhatToDo(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	for protocol, says := range map[uint32]string{vigiav1.Protocol + 1: "update the collector", 0: "update the agent"} {
		l := a.open(c)
		m := hello(a.nonce)
		m.GetHello().Protocol = protocol
		l.send(m)
		_, err := l.end(10 * time.Second)
		if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), says) {
			t.Errorf("protocol %d: %v", protocol, err)
		}
	}
}

func TestRevokedWhileConnected(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		a := c.enroll(c.token(), facts)
		l, _ := a.connect(c)
		c.cli("machine", "revoke", "pc-017")
		if took, _ := l.end(5 * time.Second); took > 5*time.Second {
			t.Errorf("closed after %s", took)
		}
		again := a.open(c)
		again.send(hello(a.nonce))
		if _, err := again.end(10 * time.Second); err == nil {
			t.Error("a revoked machine connected again")
		}
	})
}

func TestReconnectReplacesTheOldConnection(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	old, _ := a.connect(c)
	fresh, _ := a.connect(c)
	old.end(10 * time.Second)
	fresh.submit(snapshot("pc-017"))
	if out := c.cli("machine", "list", "-o", "json"); !strings.Contains(out, `"state": "active"`) {
		t.Errorf("after a reconnect: %s", out)
	}
}

// clone is the same identity in another process.
func (a *agent) clone() *agent {
	b := *a
	b.nonce = bytes.Repeat([]byte{7}, 16)
	return &b
}

func TestTwoLiveConnectionsAreQuarantined(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	first, _ := a.connect(c)
	second, _ := a.clone().connect(c)
	for _, l := range []*link{first, second} {
		m := l.next(func(m *vigiav1.FromCollector) bool { return m.GetLater() != nil })
		if m.GetLater().GetReason() != "quarantined" {
			t.Errorf("told %v", m)
		}
		l.end(10 * time.Second)
	}
	quarantined := func() bool {
		return strings.Contains(c.cli("machine", "list", "--state", "quarantined"), "pc-017")
	}
	eventually(t, "the machine is shown as quarantined", quarantined)
	l := a.open(c)
	l.send(hello(a.nonce))
	if m := l.next(func(*vigiav1.FromCollector) bool { return true }); m.GetLater().GetReason() != "quarantined" {
		t.Errorf("a quarantined machine is told %v", m)
	}
	c.cli("machine", "release", "pc-017")
	a.connect(c)
}

func TestQuarantineAcrossCollectors(t *testing.T) {
	url := storetest.Postgres(t)
	one, two := start(t, url), start(t, url)
	a := one.enroll(one.token(), facts)
	first, _ := a.connect(one)
	eventually(t, "the connection is announced", func() bool {
		changes, _, err := one.desk.store.Since(context.Background(), 0)
		return err == nil && len(changes) > 0 && changes[len(changes)-1].Kind == fleet.ChangeConnection
	})
	time.Sleep(time.Second) // until the first collector has read its own notice
	second, _ := a.clone().connect(two)
	first.end(20 * time.Second)
	second.end(20 * time.Second)
	if out := one.cli("machine", "list", "--state", "quarantined"); !strings.Contains(out, "pc-017") {
		t.Errorf("not quarantined:\n%s", out)
	}
}

func TestMovingToAnotherCollectorIsNoClone(t *testing.T) {
	url := storetest.Postgres(t)
	one, two := start(t, url), start(t, url)
	a := one.enroll(one.token(), facts)
	old, _ := a.connect(one)
	time.Sleep(1500 * time.Millisecond)
	fresh, _ := a.connect(two)
	old.end(20 * time.Second)
	fresh.submit(snapshot("pc-017"))
	if out := two.cli("machine", "list", "-o", "json"); !strings.Contains(out, `"state": "active"`) {
		t.Errorf("after a move: %s", out)
	}
}

// document waits for a policy and decodes it.
func (l *link) document() *policy.Document {
	l.t.Helper()
	parts := wire.NewAssembler(policy.MaxDocument)
	for {
		m := l.next(func(m *vigiav1.FromCollector) bool { return m.GetPolicy() != nil })
		body, done, err := parts.Add(m.GetPolicy())
		if err != nil {
			l.t.Fatal(err)
		}
		if !done {
			continue
		}
		raw, err := wire.NewCodec(wire.Limits{}).Unpack(body)
		if err != nil {
			l.t.Fatal(err)
		}
		doc, err := policy.DecodeDocument(bytes.NewReader(raw))
		if err != nil {
			l.t.Fatal(err)
		}
		if doc.Version != string(m.GetPolicy().GetId()) {
			l.t.Errorf("parts say version %q, the document %q", m.GetPolicy().GetId(), doc.Version)
		}
		return doc
	}
}

func TestPolicyReachesConnectedAgents(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		other := c
		if strings.HasPrefix(where, "postgres") {
			other = start(t, where) // the change is made on another collector's database handle
		}
		a := c.enroll(c.token("--site", "Querétaro"), facts)
		l, _ := a.connect(c)
		if doc := l.document(); doc.Mode != policy.Learn || doc.Machine.Site != "Querétaro" || doc.Machine.ID != a.id {
			t.Errorf("first policy: %+v", doc)
		}
		other.cli("allowlist", "import", allowlistFile(t, "mode: monitor\nbaseline: true\nrules:\n  - {name: tools, effect: allow, match: {name: \"vigia-*\"}, owner: it@example.com, reason: ours}\n"), "--yes")
		began := time.Now()
		if doc := l.document(); doc.Mode != policy.Monitor || len(doc.Rules) != 1 {
			t.Errorf("policy after the change: %+v", doc)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the policy took %s to arrive, want 2 s", took)
		}
	})
}

func TestCommandsAreDeliveredAndAnswered(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token("--uses", "2"), facts)
	b := c.enroll(c.token(), &vigiav1.MachineFacts{Hostname: "pc-018"})
	l, _ := a.connect(c)
	stranger, _ := b.connect(c)
	c.cli("machine", "report", "pc-017")
	cmd := l.next(func(m *vigiav1.FromCollector) bool { return m.GetCommand() != nil }).GetCommand()
	if cmd.GetKind() != "report-now" {
		t.Errorf("command %v", cmd)
	}
	answer := &vigiav1.FromAgent{Kind: &vigiav1.FromAgent_CommandResult{CommandResult: &vigiav1.CommandResult{Id: cmd.GetId(), Ok: true}}}
	stranger.send(answer)
	stranger.submit(snapshot("pc-018"))
	waiting := func() int {
		list, err := c.desk.store.PendingCommands(context.Background(), a.id)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if waiting() != 1 {
		t.Error("another machine's answer was believed")
	}
	l.send(answer)
	eventually(t, "the answer is stored", func() bool { return waiting() == 0 })
}

func TestHostileMessagesEndTheirStreamOnly(t *testing.T) {
	c := start(t, t.TempDir())
	victim := c.enroll(c.token(), &vigiav1.MachineFacts{Hostname: "quiet"})
	quiet, _ := victim.connect(c)
	a := c.enroll(c.token(), facts)
	part := func(p *vigiav1.Part) *vigiav1.FromAgent {
		return &vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}}
	}
	id := bytes.Repeat([]byte{1}, 16)
	cases := map[string][]*vigiav1.FromAgent{
		"hello twice":        {hello(a.nonce)},
		"part out of order":  {part(&vigiav1.Part{Id: id, Index: 1, Total: 2, Data: []byte("x")})},
		"no parts":           {part(&vigiav1.Part{Id: id})},
		"nil part":           {{Kind: &vigiav1.FromAgent_Report{}}},
		"huge part":          {part(&vigiav1.Part{Id: id, Index: 0, Total: 1, Data: make([]byte, 900<<10)})},
		"message over 1 MiB": {part(&vigiav1.Part{Id: id, Index: 0, Total: 1, Data: make([]byte, 2<<20)})},
		"changing total":     {part(&vigiav1.Part{Id: id, Index: 0, Total: 4_000_000_000, Data: []byte("x")}), part(&vigiav1.Part{Id: id, Index: 1, Total: 2, Data: []byte("x")})},
		"garbage":            {part(&vigiav1.Part{Id: id, Index: 0, Total: 1, Data: []byte("no zstd at all")})},
		"bomb":               {part(&vigiav1.Part{Id: id, Index: 0, Total: 1, Data: bomb(t)})},
		"zstd of junk":       {part(&vigiav1.Part{Id: id, Index: 0, Total: 1, Data: pack(t, []byte{0xff, 0xff, 0xff, 0xff})})},
		"report without id":  {part(&vigiav1.Part{Id: id, Index: 0, Total: 1, Data: pack(t, nil)})},
		"odd digest":         {{Kind: &vigiav1.FromAgent_Unchanged{Unchanged: &vigiav1.Unchanged{Digest: []byte{1}}}}},
	}
	for name, messages := range cases {
		l, _ := a.connect(c)
		for _, m := range messages {
			l.send(m)
		}
		if _, err := l.end(15 * time.Second); status.Code(err) != codes.InvalidArgument && status.Code(err) != codes.ResourceExhausted {
			t.Errorf("%s: %v", name, err)
		}
	}
	l := a.open(c)
	l.send(&vigiav1.FromAgent{})
	if _, err := l.end(15 * time.Second); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no Hello: %v", err)
	}
	if strings.Contains(c.log.String(), "fault while serving") {
		t.Error("a message caused a fault")
	}
	quiet.submit(snapshot("quiet", inventory.Program{Name: "curl", Version: "8", Source: "deb", Scope: "machine"}))
}

func pack(t *testing.T, data []byte) []byte {
	t.Helper()
	b, err := wire.NewCodec(wire.Limits{}).Pack(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bomb is a small zstd frame of a gigabyte of zeros that does not announce its size.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 1024 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnchangedAndNeed(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	l, _ := a.connect(c)
	s := snapshot("pc-017", inventory.Program{Name: "curl", Version: "8", Source: "deb", Scope: "machine"})
	l.submit(s)
	tell := func(d inventory.Digest, seq uint64) *vigiav1.FromCollector {
		l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Unchanged{Unchanged: &vigiav1.Unchanged{TakenAtUnixMs: time.Now().UnixMilli(), Digest: d[:], Sequence: seq}}})
		return l.next(func(m *vigiav1.FromCollector) bool { return m.GetAck() != nil || m.GetNeed() != nil })
	}
	if m := tell(inventory.CombineDigests(s.Digests()), 41); m.GetAck().GetSequence() != 41 {
		t.Errorf("unchanged: %v", m)
	}
	if m := tell(inventory.Digest{9}, 42); m.GetNeed().GetSequence() != 42 || len(m.GetNeed().GetSections()) == 0 {
		t.Errorf("another digest: %v", m)
	}
}

func TestStopTellsAgentsToComeBack(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	l, _ := a.connect(c)
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	if m := l.next(func(m *vigiav1.FromCollector) bool { return m.GetLater() != nil }); m.GetLater().GetReason() != "shutting-down" {
		t.Errorf("told %v", m)
	}
}
