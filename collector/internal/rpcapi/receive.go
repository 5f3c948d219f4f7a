package rpcapi

import (
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/apperr"
	"vigia/internal/inventory"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// part takes one piece of a report; with the last the report is submitted and answered.
func (c *stream) part(p *vigiav1.Part) error {
	size := int64(len(p.GetData()))
	if p.GetTotal() > 1 {
		if c.s.pending.Add(size) > c.s.Limits.Pending {
			c.s.pending.Add(-size)
			c.release()
			return c.away(apperr.New(apperr.Unavailable, "ingest.busy", nil), nil)
		}
		c.pending += size
	}
	if c.parts == nil {
		c.parts = wire.NewAssembler(c.s.Codec.Limits().Compressed)
	}
	body, done, err := c.parts.Add(p)
	if err != nil {
		c.s.metrics.bad.Inc()
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if !done {
		return nil
	}
	defer c.release()
	return c.report(p.GetId(), body)
}

// release gives the bytes of an unfinished or finished body back to the budget.
func (c *stream) release() {
	if c.parts != nil {
		c.parts.Reset()
	}
	c.s.pending.Add(-c.pending)
	c.pending = 0
}

func (c *stream) report(id, body []byte) error {
	r, err := c.decode(body)
	if err != nil {
		c.s.metrics.bad.Inc()
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if string(r.ID[:]) != string(id) {
		c.s.metrics.bad.Inc()
		return status.Error(codes.InvalidArgument, "the report's id is not that of its parts")
	}
	out, err := c.session.Submit(c.ctx, r, len(body))
	if err != nil {
		return c.away(err, id)
	}
	c.s.metrics.reports.Inc()
	if len(out.Need) > 0 {
		return c.out.now(need(id, 0, out.Need))
	}
	return c.out.now(&vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Ack{Ack: &vigiav1.Ack{ReportId: id, Remarks: remarks(out.Remarks)}}})
}

// decode bounds how many reports are decompressed at once.
func (c *stream) decode(body []byte) (*wire.Report, error) {
	select {
	case c.s.decoding <- struct{}{}:
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
	defer func() { <-c.s.decoding }()
	return c.s.Codec.DecodeReport(body)
}

func (c *stream) unchanged(u *vigiav1.Unchanged) error {
	digest, err := inventory.DigestFromBytes(u.GetDigest())
	if err != nil {
		c.s.metrics.bad.Inc()
		return status.Error(codes.InvalidArgument, err.Error())
	}
	out, err := c.session.Unchanged(c.ctx, time.UnixMilli(u.GetTakenAtUnixMs()).UTC(), digest)
	if err != nil {
		return c.away(err, nil)
	}
	c.s.metrics.unchanged.Inc()
	if len(out.Need) > 0 {
		return c.out.now(need(nil, u.GetSequence(), out.Need))
	}
	return c.out.now(&vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Ack{Ack: &vigiav1.Ack{Sequence: u.GetSequence()}}})
}

func need(report []byte, sequence uint64, sections []inventory.Section) *vigiav1.FromCollector {
	n := &vigiav1.Need{ReportId: report, Sequence: sequence}
	for _, s := range sections {
		n.Sections = append(n.Sections, string(s))
	}
	return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Need{Need: n}}
}

// commandResult stores the answer to a command that was sent on this stream. Answers
// to anything else are another machine's business and are not believed.
func (c *stream) commandResult(r *vigiav1.CommandResult) error {
	c.mu.Lock()
	sent := c.commands[r.GetId()]
	delete(c.commands, r.GetId())
	c.mu.Unlock()
	if !sent {
		c.s.metrics.unknown.Inc()
		return nil
	}
	err := c.s.Fleet.Commands.FinishCommand(c.ctx, r.GetId(), r.GetOk(), cleanText(r.GetError(), 500), c.s.Now().UTC())
	if err != nil && !apperr.Is(err, apperr.NotFound) && !apperr.Is(err, apperr.Conflict) {
		return c.away(err, nil)
	}
	return nil
}

func (c *stream) status(st *vigiav1.AgentStatus) error {
	have := cleanText(st.GetPolicyVersion(), 128)
	c.s.Log.DebugContext(c.ctx, "agent status", "machine", c.machine, "spooled", st.GetSpooled(), "spool_bytes", st.GetSpoolBytes(), "policy", have)
	c.link.SpoolBytes, c.link.SpoolOldest = int64(min(st.GetSpoolBytes(), 1<<50)), time.Time{}
	if ms := st.GetOldestUnixMs(); ms > 0 && ms < 1<<43 {
		c.link.SpoolOldest = time.UnixMilli(ms).UTC()
	}
	c.trusts(st.GetCaFingerprints())
	c.s.note(c.link)
	return c.seen(spooled(st.GetSpooled()))
}

// cleanText bounds and cleans a text of an agent that goes into a log or a column.
func cleanText(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, valid(s))
}

func valid(s string) string { return strings.ToValidUTF8(s, "�") }
