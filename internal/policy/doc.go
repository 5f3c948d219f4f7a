// Package policy owns the rules that say which programs are authorized, and their
// evaluation. The agent flags with it and the collector decides with it, so both
// always reach the same verdict. It refuses to do I/O, to know the clock, a database
// or a wire; the YAML form is the business of policyfile.
//
// # What a rule covers
//
// All given fields of Match must match; a field not given is not looked at. Text fields
// are globs over the whole value: * is any run of characters (also / and \), ? is one
// character, [a-z] and [!a-z] are one of a class. There is no escape character, since \
// stands in Windows paths: write [*], [?] or [[] (see EscapeGlob). Pattern and value are
// folded for case and accents first (see Fold). SHA256 and Scope are compared exactly.
// Version is a range: see Range. A match that would cover every program is refused
// unless it says name "*".
//
// Scope: an empty scope is every machine. Otherwise each kind that is given must hold
// (site AND area …) by any of its entries, and nothing in Except may hold. A machine is
// named by id, host name (a glob) or the first label of its host name. A user is the
// account of a program installed for one user; for any other program it is the person
// who answers for the machine, by e-mail or by what stands before the @.
//
// Validity: ValidFrom is the first second and ValidUntil the last second, both
// included, in UTC. A date alone means the start of that day for ValidFrom and
// 23:59:59 of that day for ValidUntil (ParseBound).
//
// # Which rule decides
//
// Among the rules that match, in this order, and the first difference settles it:
//
//  1. deny before allow, always;
//  2. the more specific match: sha256, then signer, path, name, version, publisher,
//     origin, source, scope; for each an exact value before a pattern before none, and
//     the first field that differs settles it; then the more literal characters in
//     patterns ("vigia-a*" before "vigia-*");
//  3. the narrower scope: machines, then users, groups, areas, sites, all (a combination
//     is narrower than its parts); then one with exceptions; then fewer entries;
//  4. the name that sorts first when folded, then as written; then the id that sorts
//     first.
//
// # The baseline
//
// With Document.Baseline, what no rule covers is authorized by the built-in rule
// "baseline" when it is the operating system's own: see Compiled.Evaluate. Any rule,
// allow or deny, is stronger than the baseline.
//
// # Modes
//
// A verdict does not depend on the mode: learn opens nothing, monitor opens findings,
// enforce turns findings into nonconformities; that is for the caller to do.
package policy
