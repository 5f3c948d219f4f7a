package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
)

// Door is what pages ask of whoever comes in; account.Service has it.
type Door interface {
	SignIn(ctx context.Context, email, password string, c account.Client) (account.Proof, error)
	Code(ctx context.Context, person, code string, c account.Client) error
	MailReady(ctx context.Context) error
	RequestLink(ctx context.Context, email string, p account.Purpose, c account.Client) error
	Link(ctx context.Context, secret string) (account.Link, error)
	UseLink(ctx context.Context, secret string, c account.Client) (account.Proof, error)
	ChoosePassword(ctx context.Context, secret, password string, c account.Client) (account.Proof, error)
}

// SignedIn is what pages ask about sessions; account.Service has it.
type SignedIn interface {
	Begin(ctx context.Context, p account.Proof, coded bool, c account.Client) (account.Started, error)
	State(ctx context.Context, id string, role actor.Role, touch bool) (account.State, error)
	End(ctx context.Context, id string) error
	ListSessions(ctx context.Context, person string) ([]account.Session, error)
	Revoke(ctx context.Context, id string) error
	RevokeOthers(ctx context.Context, person, but string) (int, error)
}

// OwnAccount is what a person changes of their account, and what an administrator may
// of another's; account.Service has it.
type OwnAccount interface {
	Overview(ctx context.Context, person string) (account.Overview, error)
	Prefer(ctx context.Context, person, language string, theme *account.Theme) error
	ChangePassword(ctx context.Context, person, current, password, session string, c account.Client) error
	NewTOTP(person string) (account.TOTPKey, error)
	SetTOTP(ctx context.Context, person string, secret []byte, code string) ([]string, error)
	NewCodes(ctx context.Context, person, code string, c account.Client) ([]string, error)
	RemoveTOTP(ctx context.Context, person, code string, c account.Client) error
	Invite(ctx context.Context, email string) error
	ResetTOTP(ctx context.Context, email string) error
}

// Accounts is all that pages ask about accounts.
type Accounts interface {
	Door
	SignedIn
	OwnAccount
}

// deviceCookie tells a browser that somebody signed in with before from a stranger's.
// It lets nobody in.
const deviceCookie = "__Host-vigia-device"

// client tells where a request comes from.
func (c *console) client(r *http.Request) account.Client {
	out := account.Client{Address: c.address(r), Agent: r.UserAgent()}
	if k, err := r.Cookie(deviceCookie); err == nil && len(k.Value) <= 100 {
		out.Device = k.Value
	}
	return out
}

// address is the peer's, or where the peer is a named proxy the nearest address that its
// X-Forwarded-For tells and that is no named proxy: what stands further left anybody may
// have written.
func (c *console) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !c.isProxy(ip) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if ip = next.Unmap(); !c.isProxy(ip) {
			break
		}
	}
	return ip.String()
}

func (c *console) isProxy(ip netip.Addr) bool {
	return slices.ContainsFunc(c.Proxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

// stateKey finds the session's state in a request's context.
type stateKey struct{}

func stateFrom(ctx context.Context) (account.State, bool) {
	st, ok := ctx.Value(stateKey{}).(account.State)
	return st, ok
}
