package setting

import (
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// Normalize returns value as it is kept, or an Invalid error that names field, value
// and what is wanted. The empty value stands for "as by default" and is always good.
func (d Definition) Normalize(value string) (string, error) {
	if d.Kind != Secret {
		value = strings.TrimSpace(value)
	}
	if value == "" {
		return "", nil
	}
	if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return "", d.refuse("unprintable", "setting.bad.characters")
	}
	if len(value) > 1000 {
		return "", d.refuse(strconv.Itoa(len(value)), "setting.bad.length", "max", 1000)
	}
	switch d.Kind {
	case Text, Secret:
		return d.text(value)
	case Choice:
		return d.choice(value)
	case Number:
		return d.number(value)
	case Duration:
		return d.duration(value)
	case Host:
		return d.host(value)
	case Address:
		return d.address(value)
	case URL:
		return d.url(value)
	case Zone:
		return d.zone(value)
	case Clock:
		return d.clock(value)
	case Roles:
		return d.roles(value)
	case Folder:
		return d.folder(value)
	case Days:
		return d.days(value)
	}
	return "", d.refuse(value, "setting.bad.characters")
}

// refuse makes the error; a secret's value is never in it.
func (d Definition) refuse(value, key string, more ...any) error {
	if d.Kind == Secret {
		value = "…"
	}
	if len(value) > 100 {
		value = strings.ToValidUTF8(value[:100], "") + "…"
	}
	args := apperr.Args{"field": d.Name, "value": value}
	for i := 0; i+1 < len(more); i += 2 {
		args[more[i].(string)] = more[i+1]
	}
	return apperr.New(apperr.Invalid, key, args)
}

func (d Definition) text(v string) (string, error) {
	if int64(len(v)) > d.Max {
		return "", d.refuse(v, "setting.bad.length", "max", d.Max)
	}
	return v, nil
}

func (d Definition) choice(v string) (string, error) {
	v = strings.ToLower(v)
	if !slices.Contains(d.Choices, v) {
		return "", d.refuse(v, "setting.bad.choice", "choices", d.Choices)
	}
	return v, nil
}

func (d Definition) number(v string) (string, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < d.Min || n > d.Max {
		return "", d.refuse(v, "setting.bad.number", "min", strconv.FormatInt(d.Min, 10), "max", strconv.FormatInt(d.Max, 10))
	}
	return strconv.FormatInt(n, 10), nil
}

func (d Definition) duration(v string) (string, error) {
	t, err := time.ParseDuration(v)
	if err != nil || int64(t) < d.Min || int64(t) > d.Max {
		return "", d.refuse(v, "setting.bad.duration", "min", short(time.Duration(d.Min)), "max", short(time.Duration(d.Max)))
	}
	return short(t), nil
}

// short writes a duration without its zeros: 12h, not 12h0m0s.
func short(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// host takes a name of RFC 1123 or an IP address.
func (d Definition) host(v string) (string, error) {
	if !validHost(v) {
		return "", d.refuse(v, "setting.bad.host")
	}
	return strings.ToLower(v), nil
}

func validHost(v string) bool {
	if net.ParseIP(v) != nil {
		return true
	}
	if len(v) > 253 {
		return false
	}
	for label := range strings.SplitSeq(v, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
		}) {
			return false
		}
	}
	return true
}

func (d Definition) address(v string) (string, error) {
	a, err := mail.ParseAddress(v)
	if err != nil {
		return "", d.refuse(v, "setting.bad.address")
	}
	_, domain, _ := strings.Cut(a.Address, "@")
	if !validHost(domain) || len(a.Address) > 254 {
		return "", d.refuse(v, "setting.bad.address")
	}
	if a.Name == "" {
		return a.Address, nil
	}
	name := a.Name
	if strings.ContainsAny(name, `()<>[]:;@\,."`) { // RFC 5322: a quoted-string
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name + " <" + a.Address + ">", nil
}

func (d Definition) url(v string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(v, "/"))
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || !validHost(u.Hostname()) || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", d.refuse(v, "setting.bad.url")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return "", d.refuse(v, "setting.bad.url")
		}
	}
	return "https://" + strings.ToLower(u.Host), nil
}

func (d Definition) zone(v string) (string, error) {
	l, err := time.LoadLocation(v)
	if err != nil || v == "Local" {
		return "", d.refuse(v, "setting.bad.zone")
	}
	return l.String(), nil
}

func (d Definition) clock(v string) (string, error) {
	if strings.EqualFold(v, Off) {
		return Off, nil
	}
	t, err := time.Parse("15:04", v)
	if err != nil {
		return "", d.refuse(v, "setting.bad.clock")
	}
	return t.Format("15:04"), nil
}

func (d Definition) roles(v string) (string, error) {
	var list []string
	for r := range strings.SplitSeq(v, ",") {
		r = strings.ToLower(strings.TrimSpace(r))
		if r == "" || slices.Contains(list, r) {
			continue
		}
		if !slices.Contains(actor.Roles(), actor.Role(r)) {
			var all []string
			for _, known := range actor.Roles() {
				all = append(all, string(known))
			}
			return "", d.refuse(r, "setting.bad.choice", "choices", all)
		}
		list = append(list, r)
	}
	return strings.Join(list, ","), nil
}

func (d Definition) folder(v string) (string, error) {
	if !filepath.IsAbs(v) {
		return "", d.refuse(v, "setting.bad.folder")
	}
	return filepath.Clean(v), nil
}

// days takes numbers by name, in any order; what is not named is as by default.
func (d Definition) days(v string) (string, error) {
	given, err := d.parseDays(v)
	if err != nil {
		return "", err
	}
	all, err := d.parseDays(d.Default)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, name := range d.Choices {
		n, ok := given[name]
		if !ok {
			n = all[name]
		}
		parts = append(parts, name+" "+strconv.Itoa(n))
	}
	return strings.Join(parts, ", "), nil
}

func (d Definition) parseDays(v string) (map[string]int, error) {
	out := map[string]int{}
	for part := range strings.SplitSeq(v, ",") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		n := 0
		var err error
		if len(words) == 2 {
			n, err = strconv.Atoi(words[1])
		}
		if err != nil || len(words) != 2 || !slices.Contains(d.Choices, words[0]) || int64(n) < d.Min || int64(n) > d.Max {
			return nil, d.refuse(strings.TrimSpace(part), "setting.bad.days", "choices", d.Choices, "min", strconv.FormatInt(d.Min, 10), "max", strconv.FormatInt(d.Max, 10))
		}
		out[words[0]] = n
	}
	return out, nil
}
