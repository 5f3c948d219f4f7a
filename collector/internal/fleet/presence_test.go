package fleet

import (
	"slices"
	"testing"
	"time"
)

type fakeConn struct {
	nonce  Nonce
	heard  time.Time
	closed []string
}

func (c *fakeConn) Nonce() Nonce        { return c.nonce }
func (c *fakeConn) Heard() time.Time    { return c.heard }
func (c *fakeConn) Close(reason string) { c.closed = append(c.closed, reason) }

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func conn(nonce byte) *fakeConn { return &fakeConn{nonce: Nonce{nonce}, heard: t0} }

func TestSameRunReplaces(t *testing.T) {
	p, old, fresh := NewPresence(), conn(1), conn(1)
	p.Join("m", old, t0)
	p.Join("m", fresh, t0.Add(time.Second))
	if len(old.closed) != 1 || old.closed[0] != ReasonReplaced || len(fresh.closed) != 0 || p.Current("m") != Connection(fresh) {
		t.Errorf("old closed %v, fresh closed %v", old.closed, fresh.closed)
	}
	p.Leave("m", old)
	if !p.Live("m") {
		t.Error("the end of the replaced connection ended the machine's presence")
	}
	p.Leave("m", fresh)
	if p.Live("m") || len(p.All()) != 0 {
		t.Error("still present after both ended")
	}
}

func TestRestartAfterPowerLossIsNoClone(t *testing.T) {
	p, dead, fresh := NewPresence(), conn(1), conn(2)
	p.Join("m", dead, t0)
	p.Join("m", fresh, t0.Add(time.Minute))
	fresh.heard = t0.Add(3 * time.Minute)
	dead.heard = t0.Add(time.Minute + time.Second) // what was under way when the new one came
	for at := time.Minute; at < 4*time.Minute; at += time.Second {
		if got := p.Clones(t0.Add(at)); len(got) != 0 {
			t.Fatalf("after %s: %v", at, got)
		}
	}
	p.Leave("m", dead) // keepalive ended it
	if got := p.Clones(t0.Add(4 * time.Minute)); len(got) != 0 || p.Current("m") != Connection(fresh) {
		t.Errorf("%v", got)
	}
}

func TestTwoLiveRunsAreClones(t *testing.T) {
	p, one, two := NewPresence(), conn(1), conn(2)
	p.Join("m", one, t0)
	p.Join("m", two, t0.Add(time.Minute))
	one.heard = t0.Add(time.Minute + 5*time.Second)
	if got := p.Clones(t0.Add(time.Minute + 6*time.Second)); !slices.Equal(got, []string{"m"}) {
		t.Errorf("%v", got)
	}
	if got := p.Clones(t0.Add(time.Minute + 7*time.Second)); len(got) != 0 {
		t.Errorf("told twice: %v", got)
	}
	p.Close("m", ReasonQuarantined)
	if len(one.closed) != 1 || len(two.closed) != 1 {
		t.Errorf("closed %v and %v", one.closed, two.closed)
	}
}

func TestElsewhere(t *testing.T) {
	for name, x := range map[string]struct {
		announced bool
		nonce     byte
		heard     time.Duration
		clones    int
		closed    int
	}{
		"a notice from before ours":    {announced: false, nonce: 2, heard: time.Minute},
		"the same run has moved":       {announced: true, nonce: 1, heard: time.Minute, closed: 1},
		"another run, ours is silent":  {announced: true, nonce: 2, heard: -time.Second},
		"another run while ours lives": {announced: true, nonce: 2, heard: time.Minute, clones: 1},
	} {
		p, ours := NewPresence(), conn(1)
		p.Join("m", ours, t0)
		if x.announced {
			p.Announced("m", Nonce{1})
		}
		p.Elsewhere("m", Nonce{x.nonce}, t0.Add(time.Second))
		ours.heard = t0.Add(x.heard)
		if got := p.Clones(t0.Add(time.Minute)); len(got) != x.clones || len(ours.closed) != x.closed {
			t.Errorf("%s: clones %v, closed %v", name, got, ours.closed)
		}
	}
	NewPresence().Elsewhere("nobody", Nonce{1}, t0)
}

func TestContestsEnd(t *testing.T) {
	p := NewPresence()
	p.Join("m", conn(1), t0)
	p.Join("m", conn(2), t0)
	p.Clones(t0.Add(contestLife + time.Second))
	if len(p.contests) != 0 {
		t.Error("a contest that nothing decides lasts for ever")
	}
}
