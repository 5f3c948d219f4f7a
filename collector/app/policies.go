package app

import (
	"context"
	"sync"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/rpcapi"
	"vigia/internal/wire"
)

// allowlist is the use-case of the allowlist for one command, or one page.
func (d *desk) allowlist() *allowlist.Service {
	return d.allowlistOver(d.store, d.newIngester("command "+newID()))
}

func (d *desk) allowlistOver(lists authorization.Store, in *ingest.Ingester) *allowlist.Service {
	return allowlist.New(allowlist.Config{Tx: d.store, Allowlists: lists, Changes: d.store, Audit: d.store, Findings: in,
		Programs: d.store, Now: d.now, NewID: func() (string, error) { return newID(), nil }})
}

func (d *desk) newIngester(name string) *ingest.Ingester {
	return ingest.New(ingest.Config{Store: d.store, Allowlists: d.store, Records: d.store.Nonconformities(), Directory: d.store,
		Now: d.now, Log: d.log, Name: name, Terms: d.terms})
}

// policies makes the document that each agent is to have.
type policies struct {
	rules *rulesOnce
	list  *allowlist.Service // over rules
	codec *wire.Codec
}

var _ rpcapi.Policies = (*policies)(nil)

func newPolicies(d *desk, in *ingest.Ingester, codec *wire.Codec) *policies {
	rules := &rulesOnce{Store: d.store}
	return &policies{rules: rules, list: d.allowlistOver(rules, in), codec: codec}
}

// Changed implements rpcapi.Policies.
func (p *policies) Changed() { p.rules.forget() }

// For implements rpcapi.Policies.
func (p *policies) For(ctx context.Context, machine, have string) (string, []byte, error) {
	doc, err := p.list.Document(ctx, machine)
	if err != nil || doc.Version == have {
		return have, nil, err
	}
	raw, err := doc.Encode()
	if err != nil {
		return have, nil, err
	}
	body, err := p.codec.Pack(raw)
	return doc.Version, body, err
}

// rulesOnce reads the rules once per change, not once per machine.
type rulesOnce struct {
	authorization.Store
	mu      sync.Mutex
	read    bool
	current authorization.Allowlist
}

func (r *rulesOnce) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read = false
}

// CurrentAllowlist implements authorization.Store.
func (r *rulesOnce) CurrentAllowlist(ctx context.Context) (authorization.Allowlist, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read {
		return r.current, nil
	}
	a, err := r.Store.CurrentAllowlist(ctx)
	if err == nil {
		r.current, r.read = a, true
	}
	return a, err
}
