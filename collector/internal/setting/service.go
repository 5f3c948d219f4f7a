package setting

import (
	"context"
	"slices"
	"sync"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// cacheLife is how soon a change made elsewhere holds here.
const cacheLife = 2 * time.Second

// Deps is what the use-case stands on. All fields are required.
type Deps struct {
	Tx    Transactor
	Store Store
	Audit audit.Log
	Now   func() time.Time
	// Key returns the key of secrets, made when make is true and there is none. An error
	// tells where it is to be put.
	Key func(make bool) (Key, error)
}

// Service reads and changes settings. It is safe for concurrent use.
type Service struct {
	Deps
	mu     sync.Mutex
	at     time.Time
	values Values
	read   bool
}

// New returns the use-case over d.
func New(d Deps) *Service { return &Service{Deps: d} }

// Values returns all settings, at most two seconds old. Where a secret cannot be opened,
// the error is a Conflict "setting.other-key" and the other values are good.
func (s *Service) Values(ctx context.Context) (Values, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := s.Now().Sub(s.at); s.read && age >= 0 && age < cacheLife {
		return s.values, nil
	}
	texts, sealed, err := s.texts(ctx)
	if err != nil {
		return Values{}, err
	}
	for name := range sealed {
		if texts[name], err = s.unseal(name, sealed[name]); err != nil {
			return typed(texts), err
		}
	}
	s.values, s.at, s.read = typed(texts), s.Now(), true
	return s.values, nil
}

// texts reads what is kept; secrets come apart, sealed.
func (s *Service) texts(ctx context.Context) (texts, sealed map[string]string, err error) {
	stored, err := s.Store.Settings(ctx)
	if err != nil {
		return nil, nil, err
	}
	texts, sealed = map[string]string{}, map[string]string{}
	for _, x := range stored {
		switch d, known := Define(x.Name); {
		case !known: // of a newer version
		case d.Kind == Secret:
			sealed[x.Name] = x.Value
		default:
			texts[x.Name] = x.Value
		}
	}
	return texts, sealed, nil
}

func (s *Service) unseal(name, sealed string) (string, error) {
	key, err := s.Key(false)
	if err != nil {
		return "", err
	}
	return key.open(name, sealed)
}

// Current is one setting as it is now.
type Current struct {
	Definition
	Value     string // as kept; empty where IsDefault; never a secret's
	IsSet     bool   // somebody gave it a value
	ChangedAt time.Time
	ChangedBy string
}

// Effective is the value that holds: the one given, else the default.
func (c Current) Effective() string {
	if c.IsSet && c.Kind != Secret {
		return c.Value
	}
	return c.Default
}

// List returns every setting, in the order of Definitions.
func (s *Service) List(ctx context.Context) ([]Current, error) {
	stored, err := s.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	var out []Current
	for _, d := range Definitions() {
		c := Current{Definition: d}
		if i := slices.IndexFunc(stored, func(x Stored) bool { return x.Name == d.Name }); i >= 0 {
			c.IsSet, c.ChangedAt, c.ChangedBy = true, stored[i].ChangedAt, stored[i].ChangedBy
			if d.Kind != Secret {
				c.Value = stored[i].Value
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// Get returns one setting. NotFound "setting.unknown".
func (s *Service) Get(ctx context.Context, name string) (Current, error) {
	list, err := s.List(ctx)
	if err != nil {
		return Current{}, err
	}
	for _, c := range list {
		if c.Name == name {
			return c, nil
		}
	}
	return Current{}, apperr.New(apperr.NotFound, "setting.unknown", apperr.Args{"name": name})
}

// Set changes settings, all or none; an empty value goes back to the default. It
// returns the names that changed. Errors: NotFound "setting.unknown"; Invalid with
// Args["field"]; Forbidden "setting.local", "setting.role".
func (s *Service) Set(ctx context.Context, changes map[string]string) (changed []string, err error) {
	who := actor.From(ctx)
	if who.Role != actor.Administrator {
		return nil, apperr.New(apperr.Forbidden, "setting.role", nil)
	}
	normal := map[string]string{}
	for name, value := range changes {
		d, known := Define(name)
		if !known {
			return nil, apperr.New(apperr.NotFound, "setting.unknown", apperr.Args{"name": name})
		}
		if d.Local && who.Kind != actor.CLI {
			return nil, apperr.New(apperr.Forbidden, "setting.local", apperr.Args{"field": name})
		}
		if normal[name], err = d.Normalize(value); err != nil {
			return nil, err
		}
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		changed, err = s.change(ctx, normal)
		return err
	})
	s.mu.Lock()
	s.read = false
	s.mu.Unlock()
	return changed, err
}

func (s *Service) change(ctx context.Context, normal map[string]string) ([]string, error) {
	before, sealed, err := s.texts(ctx)
	if err != nil {
		return nil, err
	}
	after := map[string]string{}
	for name, v := range before {
		after[name] = v
	}
	for name := range sealed {
		after[name] = "…" // there is one, and that is all that agree asks
	}
	for name, v := range normal {
		after[name] = v
	}
	if err := agree(after); err != nil {
		return nil, err
	}
	var changed []string
	for _, d := range Definitions() { // in order, so that transactions do not cross
		v, asked := normal[d.Name]
		if !asked || s.same(d, v, before, sealed) {
			continue
		}
		if err := s.put(ctx, d, v, before[d.Name], sealed[d.Name] != ""); err != nil {
			return nil, err
		}
		changed = append(changed, d.Name)
	}
	return changed, nil
}

// same reports whether d has the value already.
func (s *Service) same(d Definition, v string, before, sealed map[string]string) bool {
	if d.Kind != Secret {
		return v == before[d.Name]
	}
	if v == "" || sealed[d.Name] == "" {
		return v == "" && sealed[d.Name] == ""
	}
	old, err := s.unseal(d.Name, sealed[d.Name])
	return err == nil && old == v
}

func (s *Service) put(ctx context.Context, d Definition, v, before string, wasSet bool) error {
	now, who := s.Now().UTC().Truncate(time.Microsecond), actor.From(ctx).String()
	kept := Stored{Name: d.Name, Value: v, ChangedAt: now, ChangedBy: who}
	told := func(v string, set bool) any {
		switch {
		case d.Kind == Secret:
			return map[string]any{"set": set}
		case v == "":
			return map[string]any{"value": d.Default, "default": true}
		}
		return map[string]any{"value": v}
	}
	var err error
	switch {
	case v == "":
		err = s.Store.DeleteSetting(ctx, d.Name)
	case d.Kind == Secret:
		var key Key
		if key, err = s.Key(true); err != nil {
			return err
		}
		if kept.Value, err = key.seal(d.Name, v); err != nil {
			return err
		}
		fallthrough
	default:
		err = s.Store.PutSetting(ctx, kept)
	}
	if err != nil {
		return err
	}
	return s.Audit.Append(ctx, audit.Entry{At: now, Actor: who, Action: "setting.change", Object: "setting/" + d.Name,
		Before: audit.JSON(told(before, wasSet)), After: audit.JSON(told(v, v != ""))})
}
