package app

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/org"
)

// usageError is wrong flags, settings or input.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// damageError is damage that check found.
type damageError struct{ problems int }

func (e damageError) Error() string {
	return "check found " + count(e.problems, "problem") + "; see above"
}

// exitCode is told in every command's help: see exitCodes.
func exitCode(err error) int {
	var usage usageError
	var damage damageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &damage):
		return 6
	}
	switch apperr.CodeOf(err) {
	case apperr.Invalid:
		return 2
	case apperr.NotFound:
		return 3
	case apperr.TooMany:
		return 4
	case apperr.Unavailable:
		return 5
	}
	return 1
}

// complain tells what went wrong on standard error and returns the exit code.
func complain(w io.Writer, err error) int {
	fmt.Fprintln(w, "vigia-collector: "+plainLines(sentence(err)))
	return exitCode(err)
}

func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return strings.Join(lines, "\n")
}

// sentence is what a person is told of an error: the sentence of its key here, else
// that of the catalogue, else the error itself.
func sentence(err error) string {
	var problems org.Problems
	if errors.As(err, &problems) && len(problems) > 0 {
		return problemLines(problems)
	}
	var e *apperr.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text, ok := sentences[e.Key]
	if !ok {
		return fromCatalogue(err, e)
	}
	for name, value := range e.Args {
		if at, ok := value.(time.Time); ok {
			value = stamp(at)
		}
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(value))
	}
	return text
}

// maxProblemLines bounds how many problems of a file are told.
const maxProblemLines = 200

// problemLines tells what is wrong with a file of people, line by line, or with one
// change. There is at least one problem.
func problemLines(list org.Problems) string {
	text := "nothing was saved:"
	if list[0].Line > 0 {
		text = "nothing was saved: the file of people has " + count(len(list), "problem")
	}
	for i, p := range list {
		if i == maxProblemLines {
			return text + fmt.Sprintf("\nand %d more", len(list)-i)
		}
		text += "\n"
		if p.Line > 0 {
			text += fmt.Sprintf("line %d: ", p.Line)
		}
		if p.Field != "" {
			text += fmt.Sprintf("%s %q: ", p.Field, p.Value)
		}
		text += locale.Error(p.Err(), locale.English)
	}
	return text
}

// fromCatalogue returns the console's sentence. An error of ours and one without a
// sentence keep their cause, since whoever reads this may read the log as well.
func fromCatalogue(err error, e *apperr.Error) string {
	text := locale.Error(err, locale.English)
	if e.Code == apperr.Internal || e.Err != nil || strings.HasPrefix(text, "‹") || text == "" {
		return strings.TrimSuffix(strings.TrimSpace(text+" ("+err.Error()+")"), " ()")
	}
	return text
}

// sentences are those that only commands and agents are told, by apperr.Key. {name} is
// an argument.
var sentences = map[string]string{
	"token.wrong":               "the token is not known here; copy the whole line again, or create another with `vigia-collector token create`",
	"token.expired":             "the token {token} expired at {at}; create another with `vigia-collector token create`",
	"token.used-up":             "the token {token} has let in as many machines as it may; create another with `vigia-collector token create --uses N`",
	"token.revoked":             "the token {token} was revoked; create another with `vigia-collector token create`",
	"token.wrong-serial":        "the token {token} is for other machines; this one's serial number is \"{serial}\"",
	"token.unknown":             "there is no token {token}; `vigia-collector token list` names them",
	"token.bad-field":           "--{field} \"{value}\": want {want}",
	"token.bad-address":         "--collector-address: {problem}",
	"enroll.bad-csr":            "the certificate request cannot be used: {problem}",
	"enroll.too-many-attempts":  "too many failed attempts from this address; try again in {retry_after}",
	"renew.bad-signature":       "the renewal is not signed by the key of the certificate in use",
	"machine.unknown":           "there is no machine \"{machine}\"; `vigia-collector machine list` names them",
	"machine.several":           "several machines are called \"{machine}\"; name one by its id, see `vigia-collector machine list`",
	"machine.wrong-state":       "{machine} is {state}: it cannot be the object of \"{action}\"",
	"machine.group":             "--{field} \"{value}\": want {want}",
	"machine.not-active":        "the machine is {state}; enroll it again with a token",
	"person.unknown":            "nobody has the address {person}; import people with `vigia-collector org import FILE`",
	"person.inactive":           "{person} is no longer active",
	"store.newer":               "the database was changed by a newer vigia-collector (schema {database}, this program knows {program}); install that version or a newer one",
	"store.disk-full":           "the disk is full; free some space where the database is kept",
	"store.damaged":             "the database's file is damaged, or is no database; restore the last copy, see `vigia-collector restore --help`",
	"store.no-database":         "no database was named; give --data DIR or --database-url postgres://…",
	"store.database-url":        "--database-url: want postgres://user@host/database",
	"store.backup-postgres":     "PostgreSQL is copied by its own tool; run {command}",
	"cli.no-data":               "there is no collector's database in {data}; start it first with `vigia-collector serve --data {data}`, or name another folder with --data",
	"cli.data-folder":           "--data {value}: {problem}",
	"cli.data-in-use":           "another collector (process {pid}) works in {data}; stop it, or use PostgreSQL to run several",
	"cli.no-address":            "it is not known what agents dial; give --collector-address host:port, or start the collector once",
	"cli.no-web":                "it is not known where the console is; give --web host:port, or start the collector once",
	"cli.exists":                "{path} exists already; name another file, or remove it",
	"cli.restore-not-empty":     "{place} holds data already; restore only into an empty place",
	"cli.restore-damaged":       "{path} is no usable copy: {problem}",
	"cli.program-missing":       "{program} is not installed; it comes with PostgreSQL's client programs (apt-get install postgresql-client)",
	"cli.program-failed":        "{program} failed: {problem}",
	"cli.not-ready":             "the collector at {address} is not ready: {problem}",
	"cli.file":                  "{path}: {problem}",
	"cli.backup-failed":         "no copy was made: {problem}",
	"backup.no-folder":          "there is no folder for backups; give --data DIR, or `vigia-collector setting set backup.folder=/var/backups/vigia`",
	"backup.running":            "a copy is being made already, since {at}; see `vigia-collector backup list`",
	"backup.damaged":            "the restored copy is damaged: {problem}",
	"cli.mail-not-sent":         "the message to {to} was not sent: {problem}",
	"calendar.bad.day":          "{value} is not a day from 2000 to 2100: write it like 2026-12-24",
	"calendar.bad.name":         "give a reason of 1 to 100 characters",
	"calendar.bad.site":         "there is no site {value}; `vigia-collector org site list` names them",
	"calendar.unknown":          "{day} is not on that calendar; `vigia-collector calendar list` shows it",
	"mail.bad.imap-url":         "--imap-url {value}: want imap://user:password@host[:port][/mailbox], or imaps://…",
	"mail.bad.url":              "--smtp-url {value}: want smtp://host:port, or smtps://user:password@host",
	"setting.bad-key":           "{path} holds no key of passwords; put the right file back, or remove it and set the passwords again",
	"setting.unknown":           "there is no setting {name}; `vigia-collector setting list` names them",
	"finding.unknown":           "there is no finding {finding}; `vigia-collector finding list` numbers them",
	"nonconformity.unknown":     "there is no nonconformity {number}; `vigia-collector nonconformity list` names them",
	"allowlist.cap":             "refused: it would open {opens} findings on {machines} machines; look at the list, then allow that many with --max-open {opens}",
	"allowlist.mode":            "\"{value}\" is no mode; want learn, monitor or enforce",
	"allowlist.rules":           "the rules cannot be used: {problem}",
	"allowlist.changed":         "somebody changed the allowlist meanwhile; look at it and try again",
	"allowlist.nothing-to-undo": "the allowlist was never changed: there is nothing to undo",
	"program.unknown":           "no machine has a program called \"{program}\"",
	"collector.unavailable":     "the collector cannot answer now; try again later",
}
