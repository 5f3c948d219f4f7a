// Package locale owns every sentence a person reads: the catalogues in Spanish and
// English, and how numbers, sizes, dates and plurals are written in each. It refuses to
// know pages, mails or commands: they ask for a key and get a sentence.
package locale

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"vigia/collector/internal/apperr"
)

// The languages, by the tags used in URLs, cookies and catalogues.
const (
	Spanish = "es"
	English = "en"
)

// Languages lists every language, the default first.
func Languages() []string { return []string{Spanish, English} }

//go:embed catalogue/*.json
var files embed.FS

// Catalogue is every sentence in every language. It does not change after Load and is
// safe for concurrent use.
type Catalogue struct {
	bundle *i18n.Bundle
	keys   map[string]map[string]bool // language → key
}

// Load reads the catalogues that are part of the program. An error means that one of
// them is malformed, which the package's tests rule out.
func Load() (*Catalogue, error) {
	c := &Catalogue{bundle: i18n.NewBundle(language.Spanish), keys: map[string]map[string]bool{}}
	err := fs.WalkDir(files, "catalogue", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := c.bundle.LoadMessageFileFS(files, path)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		lang := f.Tag.String()
		if c.keys[lang] == nil {
			c.keys[lang] = map[string]bool{}
		}
		for _, m := range f.Messages {
			if c.keys[lang][m.ID] {
				return fmt.Errorf("reading %s: key %q is there twice", path, m.ID)
			}
			c.keys[lang][m.ID] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Has reports whether lang has the key.
func (c *Catalogue) Has(lang, key string) bool { return c.keys[lang][key] }

// Match picks a language: the first of the preferred tags that is one of ours, then
// the best of an Accept-Language header, else Spanish.
func (c *Catalogue) Match(acceptLanguage string, preferred ...string) string {
	for _, p := range preferred {
		if c.keys[p] != nil {
			return p
		}
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return Spanish
	}
	for _, t := range tags { // in the order of the reader's liking
		if base, _ := t.Base(); c.keys[base.String()] != nil {
			return base.String()
		}
	}
	return Spanish
}

// For returns a printer of lang (Spanish for any language that is not ours) that writes
// times in zone (UTC when nil).
func (c *Catalogue) For(lang string, zone *time.Location) *Printer {
	if c.keys[lang] == nil {
		lang = Spanish
	}
	if zone == nil {
		zone = time.UTC
	}
	tag := language.MustParse("es-MX") // Mexico writes 1,234.5; Spain 1.234,5
	if lang == English {
		tag = language.AmericanEnglish
	}
	return &Printer{Lang: lang, Zone: zone, catalogue: c, texts: i18n.NewLocalizer(c.bundle, lang), numbers: message.NewPrinter(tag)}
}

var shared = sync.OnceValues(Load)

// Error returns the sentence for err in lang, with times in UTC: for commands and mail.
// Pages use Printer.Error. Errors without a key get the sentence of an internal error.
func Error(err error, lang string) string {
	c, loadErr := shared()
	if loadErr != nil {
		return err.Error()
	}
	return c.For(lang, nil).Error(err)
}

// Printer writes in one language and one time zone. It is safe for concurrent use.
type Printer struct {
	Lang      string
	Zone      *time.Location
	catalogue *Catalogue
	texts     *i18n.Localizer
	numbers   *message.Printer
}

// T returns the sentence of key; args are pairs of a name and its value. A key that
// no catalogue has comes back as ‹key›, which tests look for.
func (p *Printer) T(key string, args ...any) string { return p.localize(key, nil, p.data(args)) }

// N is T with the plural form of n; the sentence may name it as {{.N}}.
func (p *Printer) N(key string, n int, args ...any) string {
	data := p.data(args)
	data["N"] = p.Number(int64(n))
	return p.localize(key, n, data)
}

// Word returns the word for one value of a closed group, such as ("machine.state",
// "active"). A value that the catalogue does not know is named as such.
func (p *Printer) Word(group, value string) string {
	if key := group + "." + value; p.catalogue.Has(p.Lang, key) {
		return p.T(key)
	}
	return p.T("word.other", "Value", value)
}

// Name returns the word for a value of an open group, such as a source of programs, or
// the value itself, which is then its own name.
func (p *Printer) Name(group, value string) string {
	if key := group + "." + value; p.catalogue.Has(p.Lang, key) {
		return p.T(key)
	}
	return value
}

// Error returns the sentence for err: that of its key, else that of its code.
func (p *Printer) Error(err error) string {
	var e *apperr.Error
	if !errors.As(err, &e) {
		return p.T("code.internal")
	}
	if !p.catalogue.Has(p.Lang, e.Key) {
		return p.T("code." + string(apperr.CodeOf(err)))
	}
	args := make([]any, 0, 2*len(e.Args))
	for name, value := range e.Args {
		args = append(args, name, value)
	}
	if s := p.T(e.Key, args...); !strings.Contains(s, "<no value>") { // an argument the sentence names is missing
		return s
	}
	return p.T("code." + string(apperr.CodeOf(err)))
}

// data turns pairs into what a sentence names, values written the reader's way.
func (p *Printer) data(args []any) map[string]any {
	data := make(map[string]any, len(args)/2+1)
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = p.write(args[i+1])
	}
	return data
}

func (p *Printer) write(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return p.Number(int64(v))
	case int64:
		return p.Number(v)
	case time.Time:
		return p.DateTime(v)
	case []string:
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}

func (p *Printer) localize(key string, count any, data map[string]any) string {
	s, err := p.texts.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
	if err != nil || !p.catalogue.Has(p.Lang, key) {
		return "‹" + key + "›"
	}
	return s
}
