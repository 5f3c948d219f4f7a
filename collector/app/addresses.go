package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
)

// blobAddresses is where the collector keeps how it is reached, for the commands
// beside it.
const blobAddresses = "addresses"

// maxNames bounds how many names the certificates carry.
const maxNames = 64

// addresses is how the collectors of one database are reached.
type addresses struct {
	Agents []string `json:"agents"` // "host:port" for tokens, the newest collector's first
	Web    string   `json:"web"`    // "host:port" of the console
	Names  []string `json:"names"`  // hosts that certificates are for
	Mail   bool     `json:"mail"`   // they were told by a flag where mail is handed over
}

func (d *desk) addresses(ctx context.Context) (addresses, error) {
	var a addresses
	raw, err := d.store.Blob(ctx, blobAddresses)
	if apperr.Is(err, apperr.NotFound) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("the stored addresses are damaged: %w", err)
	}
	return a, nil
}

// changeAddresses changes what is stored, in one transaction, and tells the running
// collectors when certificates need other names.
func (d *desk) changeAddresses(ctx context.Context, change func(*addresses)) (addresses, error) {
	var a addresses
	err := d.store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if a, err = d.addresses(ctx); err != nil {
			return err
		}
		before := slices.Clone(a.Names)
		change(&a)
		if over := len(a.Names) - maxNames; over > 0 {
			a.Names = a.Names[over:]
		}
		raw, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if err := d.store.SetBlob(ctx, blobAddresses, raw); err != nil {
			return err
		}
		if slices.Equal(before, a.Names) {
			return nil
		}
		return d.store.Notify(ctx, fleet.ChangeTrust, "names")
	})
	return a, err
}

// addNames adds the hosts of "host:port" to the names.
func (a *addresses) addNames(hostPorts ...string) {
	for _, hp := range hostPorts {
		host, _, err := net.SplitHostPort(hp)
		if err == nil && host != "" && !unspecified(host) && !slices.Contains(a.Names, host) {
			a.Names = append(a.Names, host)
		}
	}
}

func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}

// reachable returns how others reach a listener: its own host, or where it listens on
// every address the machine's name.
func reachable(l net.Addr) string {
	host, port, err := net.SplitHostPort(l.String())
	if err != nil {
		return l.String()
	}
	if unspecified(host) {
		host = hostName()
	}
	return net.JoinHostPort(host, port)
}

// networks reads --trusted-proxy: addresses and networks.
func networks(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := network(s)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %q: want an address or a network, such as 10.0.0.0/8", s)
		}
		out = append(out, p)
	}
	return out, nil
}

func network(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// hostName is how people call this machine.
func hostName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}
