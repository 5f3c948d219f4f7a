package account

import (
	"context"
	"encoding/base64"
	"net/netip"
	"time"

	"vigia/collector/internal/apperr"
)

// bucket is how often something may be tried: burst times at once, then once every.
type bucket struct {
	name  string
	burst int
	every time.Duration
}

// The buckets. What a stranger empties never keeps out whoever comes from a device that
// signed in before, nor the links by mail: three of them live as long as it takes to get
// another, so that one that works is always in the mailbox.
func perAccount() bucket { return bucket{"account", 10, 90 * time.Second} }
func perDevice() bucket  { return bucket{"device", 20, 45 * time.Second} }
func perAddress() bucket { return bucket{"address", 30, 30 * time.Second} }
func perCode() bucket    { return bucket{"code", 5, 5 * time.Minute} }
func perLink() bucket    { return bucket{"link", 3, 5 * time.Minute} }
func perAsking() bucket  { return bucket{"asking", 30, 30 * time.Second} }
func perNotice() bucket  { return bucket{"notice", 1, 15 * time.Minute} }

// take takes one attempt of subject. wait is how long to wait when there is none.
func (s *Service) take(ctx context.Context, b bucket, subject string) (wait time.Duration, err error) {
	most := time.Duration(b.burst-1) * b.every
	now := s.now()
	until, err := s.Guard.Take(ctx, b.name+":"+subject, now, b.every, most)
	if err != nil || until.IsZero() {
		return 0, err
	}
	return max(until.Sub(now)-most, time.Second), nil
}

func (s *Service) giveBack(ctx context.Context, b bucket, subject string) error {
	return s.Guard.GiveBack(ctx, b.name+":"+subject, b.every)
}

// network is what attempts are counted under: an IPv4 address, or the /64 of IPv6, of
// which a household has a whole one.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// digest is a name for what must not be kept as it was typed.
func digest(text string) string {
	h := hashOf(text)
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// attempt is one try that was counted; it is given back when it succeeds.
type attempt struct {
	known   bool
	buckets []bucket
	subject []string
}

// knows tells whether somebody signed in with that address from that device before.
func (s *Service) knows(ctx context.Context, email string, c Client) (bool, error) {
	if c.Device == "" || !plausible(email) {
		return false, nil
	}
	return s.Guard.KnowsDevice(ctx, email, hashOf(c.Device))
}

// admit counts a try with a password, or says how long to wait. email may be anything.
func (s *Service) admit(ctx context.Context, email string, c Client) (attempt, error) {
	var a attempt
	known, err := s.knows(ctx, email, c)
	if err != nil {
		return a, err
	}
	if known {
		subject := digest(email + " " + c.Device)
		wait, err := s.take(ctx, perDevice(), subject)
		if err != nil {
			return a, err
		}
		if wait == 0 {
			return attempt{known: true, buckets: []bucket{perDevice()}, subject: []string{subject}}, nil
		}
	}
	for _, one := range []struct {
		b       bucket
		subject string
	}{{perAddress(), network(c.Address)}, {perAccount(), digest(email)}} {
		wait, err := s.take(ctx, one.b, one.subject)
		if err != nil {
			return a, err
		}
		if wait > 0 {
			return a, s.throttled(ctx, one.b, one.subject, email, c, wait)
		}
		a.buckets, a.subject = append(a.buckets, one.b), append(a.subject, one.subject)
	}
	return a, nil
}

func (s *Service) release(ctx context.Context, a attempt) error {
	for i, b := range a.buckets {
		if err := s.giveBack(ctx, b, a.subject[i]); err != nil {
			return err
		}
	}
	return nil
}

// throttled is the answer to one try too many. It is written down once in a while, not
// each time: whoever tries a thousand times shall not fill the log.
func (s *Service) throttled(ctx context.Context, b bucket, subject, email string, c Client, wait time.Duration) error {
	if quiet, err := s.take(ctx, perNotice(), b.name+":"+subject); err != nil {
		return err
	} else if quiet == 0 {
		person := ""
		if p, err := s.Directory.AccountPerson(ctx, email); err == nil {
			person = p.Email
		}
		if err := s.record(asDoor(ctx), "signin.throttled", object(person), nil, map[string]any{"by": b.name, "address": c.Address}); err != nil {
			return err
		}
	}
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return apperr.New(apperr.TooMany, "account.wait", apperr.Args{"minutes": minutes})
}
