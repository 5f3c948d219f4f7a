package setting

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// typed returns the values of normalized texts by name; what is absent is the default.
func typed(texts map[string]string) Values {
	get := func(name string) string {
		d, _ := Define(name)
		return cmp.Or(texts[name], d.Default)
	}
	number := func(name string) int { n, _ := strconv.Atoi(get(name)); return n }
	duration := func(name string) time.Duration { t, _ := time.ParseDuration(get(name)); return t }

	var v Values
	v.Company.Name, v.Company.Language = get(CompanyName), get(CompanyLanguage)
	if zone := get(CompanyZone); zone != "" {
		if l, err := time.LoadLocation(zone); err == nil {
			v.Company.Zone = l
		}
	}
	v.ConsoleAddress = get(ConsoleAddress)
	v.Mail = Mail{Host: get(MailHost), Port: number(MailPort), TLS: get(MailTLS), User: get(MailUser), Password: get(MailPassword), From: get(MailFrom)}
	v.Session.Life, v.Session.Idle = duration(SessionLife), duration(SessionIdle)
	v.TOTPRoles = roles(get(TOTPRoles))
	v.Mail.Daily, v.Mail.Weekly = roles(get(MailDaily)), roles(get(MailWeekly))
	v.Mail.DigestAt, v.Mail.QuietFrom, v.Mail.QuietTo = clock(get(MailDigestAt)), clock(get(MailQuietFrom)), clock(get(MailQuietTo))
	v.Backup.Keep, v.Backup.Folder, v.Backup.At = number(BackupKeep), get(BackupFolder), clock(get(BackupAt))
	v.Nonconformity.Days = map[string]map[string]int{}
	for severity, name := range map[string]string{"critical": NonconformityCritical, "major": NonconformityMajor, "minor": NonconformityMinor} {
		d, _ := Define(name)
		v.Nonconformity.Days[severity], _ = d.parseDays(get(name))
	}
	v.Nonconformity.Period = time.Duration(number(NonconformityPeriod)) * 24 * time.Hour
	v.Nonconformity.Escalate, v.Nonconformity.Saturdays = number(NonconformityEscalate), get(NonconformitySaturdays) == "yes"
	return v
}

// agree tells which settings contradict one another.
func agree(texts map[string]string) error {
	v := typed(texts)
	bad := func(field, value, key string) error {
		return apperr.New(apperr.Invalid, key, apperr.Args{"field": field, "value": value})
	}
	switch {
	case v.Mail.Host != "" && v.Mail.From == "":
		return bad(MailFrom, "", "setting.bad.no-sender")
	case v.Mail.TLS == TLSNone && v.Mail.User != "":
		return bad(MailTLS, v.Mail.TLS, "setting.bad.clear-password")
	case v.Mail.User != "" && texts[MailPassword] == "":
		return bad(MailPassword, "", "setting.bad.no-password")
	case v.Session.Idle > v.Session.Life:
		return bad(SessionIdle, short(v.Session.Idle), "setting.bad.idle")
	}
	return nil
}

// roles reads a value of the kind Roles.
func roles(text string) (list []actor.Role) {
	for r := range strings.SplitSeq(text, ",") {
		if r != "" {
			list = append(list, actor.Role(r))
		}
	}
	return list
}

// clock reads a value of the kind Clock as the time after midnight; negative for Off.
func clock(text string) time.Duration {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return -1
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}
