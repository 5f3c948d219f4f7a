package policyfile

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"vigia/internal/policy"
)

// parser walks the nodes of one file and collects errors.
type parser struct{ errs []*Error }

func (p *parser) fail(n *yaml.Node, field, key, value, problem, remedy string) {
	if len(value) > 80 {
		cut := 80
		for cut > 0 && !utf8.RuneStart(value[cut]) {
			cut--
		}
		value = value[:cut] + "…"
	}
	p.errs = append(p.errs, &Error{Line: n.Line, Column: n.Column, Field: field, Key: key, Value: value, Problem: problem, Remedy: remedy})
}

// plain refuses what no allowlist needs: aliases, anchors and tags of one's own.
func (p *parser) plain(n *yaml.Node, field string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		p.fail(n, field, KeyAlias, "*"+n.Value, "is an alias", "write the value out")
	case n.Anchor != "":
		p.fail(n, field, KeyAlias, "&"+n.Anchor, "is an anchor", "remove it and write values out where they are needed")
	case strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		p.fail(n, field, KeyKind, n.Tag, "is a tag", "remove it")
	default:
		return true
	}
	return false
}

// mapping returns the values of n by key. Unknown and repeated keys are errors. nil
// means that n is no mapping, which is then told.
func (p *parser) mapping(n *yaml.Node, field string, known ...string) map[string]*yaml.Node {
	if !p.plain(n, field) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.fail(n, field, KeyKind, scalar(n), "must be a mapping", "write it as key: value with the keys "+strings.Join(known, ", "))
		return nil
	}
	values := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !p.plain(k, field) {
			continue
		}
		path := join(field, scalar(k))
		switch {
		case k.Kind != yaml.ScalarNode || !slices.Contains(known, k.Value):
			p.fail(k, path, KeyUnknown, scalar(k), "is no key here", "use one of "+strings.Join(known, ", "))
		case values[k.Value] != nil:
			p.fail(k, path, KeyDuplicate, k.Value, fmt.Sprintf("stands here and in line %d", values[k.Value].Line), "keep one of them")
		default:
			values[k.Value] = v
		}
	}
	return values
}

// text returns the text of a scalar as it is written (version: 1.10 is "1.10").
func (p *parser) text(n *yaml.Node, field string) (string, bool) {
	if !p.plain(n, field) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		p.fail(n, field, KeyKind, "", "must be a text, not a "+kindName(n), "write one value; make a rule for each where there are several")
		return "", false
	}
	s := strings.TrimSpace(n.Value)
	if n.Tag == "!!null" || s == "" {
		p.fail(n, field, policy.KeyMissing, n.Value, "is empty", "give it a value or remove the key")
		return "", false
	}
	return s, true
}

// list returns the texts of a sequence, and a node for each.
func (p *parser) list(n *yaml.Node, field string) (texts []string, nodes []*yaml.Node) {
	if !p.plain(n, field) {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, field, KeyKind, scalar(n), "must be a list", "write it in brackets, as in [A, B]")
		return nil, nil
	}
	for i, c := range n.Content {
		if s, ok := p.text(c, fmt.Sprintf("%s[%d]", field, i)); ok {
			texts, nodes = append(texts, s), append(nodes, c)
		}
	}
	if len(n.Content) == 0 {
		p.fail(n, field, policy.KeyMissing, "", "is an empty list", "name at least one, or remove the key")
	}
	return texts, nodes
}

func scalar(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

func kindName(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return "list"
	}
	return "mapping"
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}
