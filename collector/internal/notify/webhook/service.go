package webhook

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// Sealer keeps secrets unreadable in the database.
type Sealer interface {
	Seal(name, text string) (string, error)
	Open(name, sealed string) (string, error)
}

// Deps is what the use-cases stand on. All fields are required.
type Deps struct {
	InTx   func(ctx context.Context, fn func(ctx context.Context) error) error
	Store  Store
	Audit  audit.Log
	Sealer func(make bool) (Sealer, error) // made when make is true and there is none yet
	Say    func(ctx context.Context, lang string, e Event) (text, link string)
	Now    func() time.Time
	NewID  func() string // UUID text
}

// Service changes hooks and looks at their deliveries, with the rights of whoever asks.
type Service struct{ Deps }

// New returns the use-cases over d.
func New(d Deps) *Service { return &Service{d} }

// bounds of what a hook may hold, in bytes and in number.
const (
	maxName  = 100
	maxURL   = 1000
	maxKinds = 50
	maxHooks = 50
)

// Check returns h as it is kept, or an Invalid error that names field and value.
func Check(h Hook) (Hook, error) {
	bad := func(field, key, value string) (Hook, error) {
		if len(value) > 100 {
			value = strings.ToValidUTF8(value[:100], "") + "…"
		}
		return h, apperr.New(apperr.Invalid, key, apperr.Args{"field": field, "value": value})
	}
	h.Name, h.URL = strings.TrimSpace(h.Name), strings.TrimSpace(h.URL)
	if h.Name == "" || len(h.Name) > maxName || strings.ContainsFunc(h.Name, unicode.IsControl) {
		return bad("name", "webhook.bad.name", h.Name)
	}
	u, err := url.Parse(h.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Fragment != "" || len(h.URL) > maxURL || strings.ContainsFunc(h.URL, unicode.IsControl) {
		return bad("url", "webhook.bad.url", h.URL)
	}
	if u.User != nil {
		return bad("url", "webhook.bad.user", u.Redacted())
	}
	if h.Format != EventJSON && h.Format != ChatJSON {
		return bad("format", "webhook.bad.format", string(h.Format))
	}
	var kinds []string
	for _, k := range h.Kinds {
		if k = strings.ToLower(strings.TrimSpace(k)); k == "" || slices.Contains(kinds, k) {
			continue
		}
		if _, err := path.Match(k, "x"); err != nil || len(k) > 100 || strings.ContainsFunc(k, func(r rune) bool {
			return r > 'z' || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-*?[]", r)
		}) {
			return bad("kinds", "webhook.bad.kind", k)
		}
		kinds = append(kinds, k)
	}
	if h.Kinds = kinds; len(kinds) == 0 || len(kinds) > maxKinds {
		return bad("kinds", "webhook.bad.kinds", fmt.Sprint(len(kinds)))
	}
	return h, nil
}

// told is what the audit chain keeps of a hook: never its secret.
type told struct {
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	Format Format   `json:"format"`
	Kinds  []string `json:"kinds"`
	Lang   string   `json:"language"`
	Active bool     `json:"active"`
}

func tell(h *Hook) any {
	if h == nil {
		return nil
	}
	return told{h.Name, h.URL, h.Format, h.Kinds, h.Lang, h.Active}
}

func (s *Service) note(ctx context.Context, action string, row int64, before, after *Hook) error {
	return s.Audit.Append(ctx, audit.Entry{At: s.Now().UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(), Action: action,
		Object: fmt.Sprintf("webhook/%d", row), Before: audit.JSON(tell(before)), After: audit.JSON(tell(after))})
}

// List returns every hook, without secrets.
func (s *Service) List(ctx context.Context) ([]Hook, error) {
	if err := need(ctx, access.SeeSettings); err != nil {
		return nil, err
	}
	list, err := s.Store.Hooks(ctx)
	for i := range list {
		list[i].Secret = ""
	}
	return list, err
}

// Get returns one hook, without its secret. NotFound "webhook.unknown".
func (s *Service) Get(ctx context.Context, row int64) (Hook, error) {
	if err := need(ctx, access.SeeSettings); err != nil {
		return Hook{}, err
	}
	h, err := s.Store.Hook(ctx, row)
	h.Secret = ""
	return h, err
}

// Create adds a hook and returns it with its secret in clear: this once.
func (s *Service) Create(ctx context.Context, h Hook) (Hook, error) {
	if err := need(ctx, access.ChangeSettings); err != nil {
		return h, err
	}
	h, err := Check(h)
	if err != nil {
		return h, err
	}
	clear, err := newSecret()
	if err != nil {
		return h, err
	}
	if h.Secret, err = s.seal(clear); err != nil {
		return h, err
	}
	h.CreatedAt, h.CreatedBy = s.Now().UTC().Truncate(time.Microsecond), actor.From(ctx).String()
	err = s.InTx(ctx, func(ctx context.Context) error {
		list, err := s.Store.Hooks(ctx)
		if err != nil {
			return err
		}
		if len(list) >= maxHooks {
			return apperr.New(apperr.TooMany, "webhook.too-many", apperr.Args{"max": maxHooks})
		}
		if h, err = s.Store.CreateHook(ctx, h); err != nil {
			return err
		}
		return s.note(ctx, "webhook.create", h.Row, nil, &h)
	})
	h.Secret = clear
	return h, err
}

// Change puts h in place of the hook of its Row; secret and origin stay. With renew the
// secret is drawn anew and returned in clear.
func (s *Service) Change(ctx context.Context, h Hook, renew bool) (Hook, error) {
	if err := need(ctx, access.ChangeSettings); err != nil {
		return h, err
	}
	h, err := Check(h)
	if err != nil {
		return h, err
	}
	clear := ""
	err = s.InTx(ctx, func(ctx context.Context) error {
		old, err := s.Store.Hook(ctx, h.Row)
		if err != nil {
			return err
		}
		h.Secret, h.CreatedAt, h.CreatedBy = old.Secret, old.CreatedAt, old.CreatedBy
		if renew {
			if clear, err = newSecret(); err != nil {
				return err
			}
			if h.Secret, err = s.seal(clear); err != nil {
				return err
			}
		}
		if err := s.Store.ChangeHook(ctx, h); err != nil {
			return err
		}
		action := "webhook.change"
		if renew {
			action = "webhook.renew-secret"
		}
		return s.note(ctx, action, h.Row, &old, &h)
	})
	h.Secret = clear
	return h, err
}

// Delete removes a hook with its deliveries.
func (s *Service) Delete(ctx context.Context, row int64) error {
	if err := need(ctx, access.ChangeSettings); err != nil {
		return err
	}
	return s.InTx(ctx, func(ctx context.Context) error {
		old, err := s.Store.Hook(ctx, row)
		if err != nil {
			return err
		}
		if err := s.Store.DeleteHook(ctx, row); err != nil {
			return err
		}
		return s.note(ctx, "webhook.delete", row, &old, nil)
	})
}

func (s *Service) seal(clear string) (string, error) {
	k, err := s.Sealer(true)
	if err != nil {
		return "", err
	}
	return k.Seal(sealName, clear)
}

// sealName binds sealed secrets to what they are for.
const sealName = "webhook.secret"

func need(ctx context.Context, what access.Right) error {
	_, err := access.Need(ctx, what)
	return err
}
