package web

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/web/form"
)

type proofPage struct {
	Page
	Tabs    []headLink
	Head    audit.Entry
	Hash    string
	Run     *ledger.Run
	Percent int
	Past    []proofLine
	Seq     string // typed in to be compared
	Typed   string
	Compare string // "", "same", "other", "none"
	From    string
	To      string
	Problem string // of the range
}

type proofLine struct {
	ledger.Proof
	By   string
	Hash string
}

// auditProof shows how the chain stands, and compares a hash that somebody wrote down.
func (c *console) auditProof(w http.ResponseWriter, r *http.Request) error {
	p, err := c.proof(w, r)
	if err != nil {
		return err
	}
	p.Seq, p.Typed = form.Text(r, "seq"), strings.ToLower(strings.ReplaceAll(form.Text(r, "hash"), " ", ""))
	if p.Typed != "" {
		n, _ := strconv.ParseInt(p.Seq, 10, 64)
		e, err := c.Audit.Entry(r.Context(), n)
		switch {
		case apperr.Is(err, apperr.NotFound):
			p.Compare = "none"
		case err != nil:
			return err
		case hex.EncodeToString(e.Hash[:]) == p.Typed:
			p.Compare = "same"
		default:
			p.Compare = "other"
		}
	}
	return c.render(w, r, "audit_proof", p)
}

// auditLive is the part of the page that follows a verification.
func (c *console) auditLive(w http.ResponseWriter, r *http.Request) error {
	p, err := c.proof(w, r)
	if err != nil {
		return err
	}
	return c.fragment(w, "audit_proof", "proof-live", p)
}

// auditVerify has the chain gone through. Nothing in the log changes by it, so that those
// who may only read may ask for it too.
func (c *console) auditVerify(w http.ResponseWriter, r *http.Request) error {
	if err := c.Audit.Start(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/audit/proof", http.StatusSeeOther)
	return nil
}

func (c *console) proof(w http.ResponseWriter, r *http.Request) (proofPage, error) {
	p := proofPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Tabs = p.T("audit.proof"), auditTabs(&p.Page)
	var past []ledger.Proof
	var err error
	if p.Head, p.Run, past, err = c.Audit.Status(r.Context()); err != nil {
		return p, err
	}
	p.Hash = hex.EncodeToString(p.Head.Hash[:])
	if p.Run != nil && p.Run.Of > 0 {
		p.Percent = int(p.Run.Entries * 100 / p.Run.Of)
	}
	for _, x := range past {
		p.Past = append(p.Past, proofLine{Proof: x, By: p.Actor(x.StartedBy), Hash: hex.EncodeToString(x.Head[:])})
	}
	return p, nil
}

// Count64 writes a number of entries; templates cannot convert.
func (p proofPage) Count64(n int64) string { return p.Number(n) }

// auditExport sends a range as a file that others can verify.
func (c *console) auditExport(w http.ResponseWriter, r *http.Request) error {
	from, to := form.Number(r, "from", 1<<52), form.Number(r, "to", 1<<52)
	err := c.Audit.CheckRange(r.Context(), from, to)
	if apperr.Is(err, apperr.Invalid) || apperr.Is(err, apperr.TooMany) {
		p, perr := c.proof(w, r)
		if perr != nil {
			return perr
		}
		p.From, p.To, p.Problem = form.Text(r, "from"), form.Text(r, "to"), p.Error(err)
		return c.execute(w, http.StatusUnprocessableEntity, "audit_proof", "layout", p)
	} else if err != nil {
		return err
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileDeadline)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="vigia-audit-%d-%s.jsonl"`, max(from, 1), c.Now().UTC().Format(time.DateOnly)))
	if _, err := c.Audit.Export(r.Context(), w, from, to, actor.From(r.Context()).String()); err != nil {
		c.Log.Error("a part of the audit log was not sent whole", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
