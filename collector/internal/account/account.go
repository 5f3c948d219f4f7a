// Package account owns how a person gets into the console and stays in it: passwords,
// time-based codes and recovery codes, one-time links by mail, sessions, known devices,
// and what each person chose for the screens. It refuses to keep any secret in clear
// that it can know by a hash, to lock an account for good, to tell a stranger whether
// somebody exists, and to decide what a person may do once inside (actor).
//
// Guessing is slowed down, never answered by a lock that a stranger could close on
// somebody else: whoever comes from a device that signed in before is counted apart
// from strangers, and links by mail stay open (OWASP, Authentication Cheat Sheet and
// "Slow Down Online Guessing Attacks with Device Cookies").
package account

import (
	"strings"
	"time"

	"vigia/collector/internal/actor"
)

// Person is what the directory says of somebody.
type Person struct {
	Email  string // lower case; the key
	Name   string
	Role   actor.Role
	Active bool
}

// Account is what a person signs in with. People without one sign in by links.
type Account struct {
	Person     string    // e-mail, lower case
	Password   string    // argon2id in PHC string format; empty: none
	PasswordAt time.Time // when it was set
	TOTP       []byte    // secret of 20 bytes (RFC 4226, R6); nil: no second factor
	TOTPAt     time.Time
	TOTPStep   int64 // newest time step whose code was used: no code works twice (RFC 6238, 5.2)
	Language   string
	Theme      Theme
}

// Theme is how the screens look to a person.
type Theme string

// The themes. Empty follows the system.
const (
	ThemeSystem Theme = ""
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Method is how somebody got in.
type Method string

// The methods.
const (
	ByPassword Method = "password"
	ByLink     Method = "link"     // sent by mail
	ByInvite   Method = "invite"   // the first password
	ByReset    Method = "reset"    // another password
	ByOperator Method = "operator" // a link made on the server, which asks for nothing else
)

// Purpose is what a link is for.
type Purpose string

// The purposes.
const (
	ForOperator Purpose = "operator"
	ForSignIn   Purpose = "signin"
	ForInvite   Purpose = "invite"
	ForReset    Purpose = "reset"
)

// life is how long a link of that purpose can be used.
func (p Purpose) life() time.Duration {
	if p == ForInvite {
		return 7 * 24 * time.Hour
	}
	return 15 * time.Minute
}

// Link lets one person in once.
type Link struct {
	Hash      [32]byte // SHA-256 of the secret in the address
	Person    string   // e-mail; empty for whoever administers the server
	Purpose   Purpose
	CreatedAt time.Time
	CreatedBy string // actor.Actor.String()
	ExpiresAt time.Time
	UsedAt    time.Time // zero until used
}

// Session is one browser that somebody is signed in with.
type Session struct {
	ID        string
	Person    string // e-mail; empty for whoever administers the server
	Method    Method
	Coded     bool   // a time-based or recovery code was given, or the method asks for none
	Device    string // "Firefox · Linux"
	Address   string // of the network
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // whatever is done with it
}

// Client is where a request comes from.
type Client struct {
	Address string // IP address; a named proxy's client
	Device  string // secret of the device's cookie; empty for one never seen
	Agent   string // User-Agent
	Next    string // page of the console that a mailed link leads to; the pages check it
}

// Proof says that somebody showed who they are, as far as asked yet.
type Proof struct {
	Person    string // e-mail; empty for whoever administers the server
	Name      string
	Method    Method
	NeedsCode bool // Service.Code must follow before Service.Begin
}

// clean is the one form of an e-mail address.
func clean(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// plausible bounds what is looked up and kept: RFC 5321 allows 254 bytes.
func plausible(email string) bool {
	at := strings.LastIndexByte(email, '@')
	return at > 0 && at < len(email)-1 && len(email) <= 254 && !strings.ContainsFunc(email, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd })
}
