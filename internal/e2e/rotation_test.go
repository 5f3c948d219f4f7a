package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// rotation is what the collector tells of a rotation of its CA.
type rotation struct {
	GoingOn  bool     `json:"going_on"`
	Machines int      `json:"machines"`
	Trusting int      `json:"trusting"`
	Renewed  int      `json:"renewed"`
	Behind   int      `json:"would_be_cut_off"`
	Names    []string `json:"would_be_cut_off_machines"`
}

func (c *collector) rotation(args ...string) (v rotation) {
	c.t.Helper()
	out := must(c.t, c.cli(append([]string{"certificate", "rotate-ca", "--output", "json"}, args...)...)).out
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		c.t.Fatal(err)
	}
	return v
}

// linkRow is an agent as the collector lists it.
type linkRow struct {
	Machine string   `json:"machine"`
	Trusts  []string `json:"trusts"`
}

// reports has the agent that is connected report anew.
func (a *agent) reports(c *collector) {
	a.t.Helper()
	since := time.Now()
	var id string
	eventually(a.t, "one agent is connected", patience, func() bool {
		rows := list[linkRow](c, "agent", "list", "--connection", "now")
		if len(rows) == 1 {
			id = rows[0].Machine
		}
		return len(rows) == 1
	}, a.log, c.log)
	must(a.t, c.cli("machine", "report", id))
	a.reported(since)
}

// TestAnAgentFollowsTheCA: the agent that is connected renews by itself and goes on
// reporting after the old CA is gone; the one that was switched off all the time is told
// what happened and what to do, and comes back with a token.
func TestAnAgentFollowsTheCA(t *testing.T) {
	c := newCollector(t)
	c.allow(allowNothing)
	a := newAgent(t).enroll(c).start()
	a.reports(c)
	off := &agent{t: t, bin: a.bin, state: t.TempDir()}
	must(t, off.cli("enroll", "--token", c.token(), "--state", off.state)) // a clone's hardware: an identity of its own while the first is connected
	if v := c.rotation("--begin"); v.Behind != v.Machines || v.Machines != 2 {
		t.Fatalf("begun: %+v", v)
	}
	eventually(t, "the connected agent has followed", patience, func() bool { v := c.rotation(); return v.Renewed == 1 && v.Trusting == 1 && v.Behind == 1 }, a.log, c.log)
	a.reports(c)
	if r := c.cli("certificate", "rotate-ca", "--finish"); r.code != 4 {
		t.Errorf("finished over a machine's head: %d %s", r.code, r.err)
	}
	if v := c.rotation("--finish", "--cut-off", "1"); v.GoingOn || v.Behind != 1 {
		t.Errorf("finished: %+v", v)
	}
	eventually(t, "the old CA is forgotten by the agent", patience, func() bool {
		rows := list[linkRow](c, "agent", "list", "--connection", "now")
		return len(rows) == 1 && len(rows[0].Trusts) == 1
	}, a.log, c.log)
	a.reports(c)
	r := off.cli("run", "--once", "--state", off.state)
	if r.code == 0 || !strings.Contains(r.err, "CA was changed while this machine was away") || !strings.Contains(r.err, "enroll --token TOKEN --replace") {
		t.Errorf("the agent that was off: %d\n%s", r.code, r.err)
	}
	must(t, off.cli("enroll", "--replace", "--token", c.token(), "--state", off.state))
	must(t, off.cli("run", "--once", "--state", off.state))
}
