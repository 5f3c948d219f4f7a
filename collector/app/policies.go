package app

import (
	"context"
	"sync"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

// policies makes the document that each agent is to have. The rules are read once per
// change and their version computed once; a machine costs one read of its own row.
type policies struct {
	allowlist authorization.Store
	context   func(ctx context.Context, machine string) (policy.MachineContext, error)
	codec     *wire.Codec
	now       func() time.Time

	mu      sync.Mutex
	current authorization.Allowlist
	rules   string // policy.RulesVersion of current
	read    bool
}

// Changed implements rpcapi.Policies.
func (p *policies) Changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = false
}

func (p *policies) load(ctx context.Context) (authorization.Allowlist, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read {
		return p.current, p.rules, nil
	}
	a, err := p.allowlist.CurrentAllowlist(ctx)
	if err != nil {
		return a, "", err
	}
	if a.Rules == nil {
		a.Rules = []policy.Rule{}
	}
	p.current, p.rules, p.read = a, policy.RulesVersion(policy.Mode(a.Mode), a.Baseline, a.Rules), true
	return p.current, p.rules, nil
}

// For implements rpcapi.Policies.
func (p *policies) For(ctx context.Context, machine, have string) (string, []byte, error) {
	a, rules, err := p.load(ctx)
	if err != nil {
		return "", nil, err
	}
	m, err := p.context(ctx, machine)
	if err != nil {
		return "", nil, err
	}
	version := policy.DocumentVersion(rules, m)
	if version == have {
		return version, nil, nil
	}
	doc := policy.Document{Version: version, Mode: policy.Mode(a.Mode), Baseline: a.Baseline, Rules: a.Rules, Machine: m, IssuedAt: p.now().UTC()}
	raw, err := doc.Encode()
	if err != nil {
		return "", nil, err
	}
	body, err := p.codec.Pack(raw)
	return version, body, err
}
