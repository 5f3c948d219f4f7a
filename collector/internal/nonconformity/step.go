package nonconformity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/apperr"
)

// Kinds of steps that are no task, beside StepNotify … StepClose.
const (
	StepWithdraw   = "withdraw"
	StepConcede    = "concede"
	StepComment    = "comment"
	StepAttachment = "attachment"
)

// Step is what a party wrote and so acknowledged. Document is the canonical JSON of what
// they saw and wrote, Hash its SHA-256: whoever has the document can prove that it was
// not changed since.
type Step struct {
	Kind       string
	Round      int
	Part       string // whose step it is
	Author     string // actor.Actor.String()
	AuthorName string
	OnBehalf   bool // IT wrote down what the party said
	At         time.Time
	Address    string // that it came from; empty: the server's command line
	Answer     Answer
	Document   []byte
	Hash       string // hex
}

// Holds reports whether the document is the one that was acknowledged.
func (s *Step) Holds() bool {
	sum := sha256.Sum256(s.Document)
	return hex.EncodeToString(sum[:]) == s.Hash
}

// Answer is what a step says. Which fields a kind has stands beside them.
type Answer struct {
	Text       string    `json:"text,omitempty"`       // statement, cause, notify, implement, measure, close, verify, withdraw, concede, comment
	Whys       []string  `json:"whys,omitempty"`       // cause: answers to up to five whys
	Cause      string    `json:"cause,omitempty"`      // cause: one of Causes
	Actions    []Action  `json:"actions,omitempty"`    // plan
	Measure    string    `json:"measure,omitempty"`    // measure: one of Measures
	Until      string    `json:"until,omitempty"`      // concede: date
	Attachment *FileFact `json:"attachment,omitempty"` // attachment
}

// Action is one line of a plan.
type Action struct {
	What string `json:"what"`
	Who  string `json:"who"`
	By   string `json:"by"` // date
}

// FileFact tells what was attached.
type FileFact struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
	Scan   string `json:"scan"`
}

// Causes lists the kinds of causes, for the analysis.
func Causes() []string {
	return []string{"unaware", "need", "urgency", "third-party", "malware", "negligence", "error", "other"}
}

// Measures lists what Human Resources may do.
func Measures() []string {
	return []string{"none", "talk", "training", "warning", "record", "sanction", "other"}
}

// maxWhys is how many whys there are.
const maxWhys = 5

// Bounds of what a step says, in bytes.
const (
	maxText    = 4000
	maxActions = 20
	maxLine    = 500
)

// clean returns what is kept of an answer to a step, or an Invalid error that names the
// field.
func (a Answer) clean(kind string) (Answer, error) {
	out := Answer{Text: trim(a.Text), Attachment: a.Attachment}
	missing := func(field string) (Answer, error) {
		return out, apperr.New(apperr.Invalid, "nonconformity.missing."+field, apperr.Args{"field": field})
	}
	if len(out.Text) > maxText {
		return out, apperr.New(apperr.Invalid, "nonconformity.too-long", apperr.Args{"field": "text", "max": maxText})
	}
	switch kind {
	case StepCause:
		return a.cleanCause(out)
	case StepPlan:
		return a.cleanPlan(out)
	case StepMeasure:
		if out.Measure = a.Measure; !slices.Contains(Measures(), a.Measure) {
			return missing("measure")
		}
		if a.Measure == "other" && out.Text == "" {
			return missing("text")
		}
		return out, nil
	case StepConcede:
		out.Until = strings.TrimSpace(a.Until)
		if _, err := time.Parse(time.DateOnly, out.Until); err != nil {
			return missing("until")
		}
	case StepAttachment:
		return out, nil
	case StepStatement, StepNotify, StepImplement, StepClose, StepVerify, StepWithdraw, StepComment:
	default:
		return out, apperr.New(apperr.NotFound, "nonconformity.no-step", apperr.Args{"step": kind})
	}
	if out.Text == "" {
		return missing("text")
	}
	return out, nil
}

func (a Answer) cleanCause(out Answer) (Answer, error) {
	for _, why := range a.Whys {
		if why = trim(why); why != "" {
			out.Whys = append(out.Whys, cut(why, 1000))
		}
	}
	if len(out.Whys) == 0 || len(out.Whys) > maxWhys {
		return out, apperr.New(apperr.Invalid, "nonconformity.missing.whys", apperr.Args{"field": "why1"})
	}
	if out.Cause = a.Cause; !slices.Contains(Causes(), a.Cause) {
		return out, apperr.New(apperr.Invalid, "nonconformity.missing.cause", apperr.Args{"field": "cause"})
	}
	return out, nil
}

func (a Answer) cleanPlan(out Answer) (Answer, error) {
	for i, x := range a.Actions {
		x = Action{What: cut(trim(x.What), maxLine), Who: cut(trim(x.Who), maxLine), By: strings.TrimSpace(x.By)}
		if x == (Action{}) {
			continue
		}
		bad := func(field string) error {
			return apperr.New(apperr.Invalid, "nonconformity.missing."+field, apperr.Args{"field": fmt.Sprintf("%s%d", field, i+1)})
		}
		switch _, err := time.Parse(time.DateOnly, x.By); {
		case x.What == "":
			return out, bad("what")
		case x.Who == "":
			return out, bad("who")
		case err != nil:
			return out, bad("by")
		}
		out.Actions = append(out.Actions, x)
	}
	if len(out.Actions) == 0 || len(out.Actions) > maxActions {
		return out, apperr.New(apperr.Invalid, "nonconformity.missing.actions", apperr.Args{"field": "what1"})
	}
	return out, nil
}

// trim is text as it is kept: valid, without control characters but line ends.
func trim(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t', r == '\r', r == '\u2028', r == '\u2029':
			return ' '
		case r < ' ', r == 0x7f:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// acknowledged is what a step's document holds: who answered what, and the case as they
// saw it.
type acknowledged struct {
	Number   string     `json:"number"`
	Round    int        `json:"round"`
	Severity Severity   `json:"severity"`
	Hostname string     `json:"hostname"`
	Person   string     `json:"person"`
	OpenedAt time.Time  `json:"opened_at"`
	Programs []Program  `json:"programs"`
	Evidence []Evidence `json:"evidence"`
	Step     string     `json:"step"`
	Part     string     `json:"part"`
	Author   string     `json:"author"`
	OnBehalf bool       `json:"on_behalf"`
	At       time.Time  `json:"at"`
	Address  string     `json:"address"`
	Answer   Answer     `json:"answer"`
}

// sign sets the step's document and hash.
func (s *Step) sign(n *Nonconformity) error {
	doc, err := canonical(acknowledged{Number: n.Number, Round: n.Round, Severity: n.Severity, Hostname: n.Hostname, Person: n.Person, OpenedAt: n.OpenedAt.UTC(),
		Programs: n.Programs, Evidence: n.Evidence, Step: s.Kind, Part: s.Part, Author: s.Author, OnBehalf: s.OnBehalf, At: s.At, Address: s.Address, Answer: s.Answer})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(doc)
	s.Document, s.Hash = doc, hex.EncodeToString(sum[:])
	return nil
}

// canonical writes v as JSON in one form only: keys sorted, no space, nothing escaped
// that need not be (RFC 8785, for the texts, whole numbers and lists there are here).
func canonical(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
