package demo

import (
	"crypto/x509"
	"strings"
	"time"

	"vigia/collector/internal/ingest"
	"vigia/internal/inventory"
)

// Operating systems of the sample.
const (
	debian     = "debian"
	ubuntu     = "ubuntu"
	windows10  = "windows10"
	windows11  = "windows11"
	windowsSrv = "windowsserver"
)

// fate is how a machine ends the year.
type fate int

const (
	fateActive fate = iota
	fateSilent
	fateArchived
	fateRevoked
	fateQuarantined
)

// machine is one of the sample.
type machine struct {
	n          int
	c          chance
	host       string
	model      *model
	os         string
	site, area string
	email      string // of who works at it; empty: nobody
	user       string // login
	person     *person
	serial     string
	uuid       string
	machineID  string
	mac        string
	memory     int       // GiB
	disk       int       // GB
	built      time.Time // when the operating system was installed
	born       time.Time // enrolled
	ends       time.Time // nothing is heard after it
	fate       fate
	lags       time.Duration // how long updates wait
	failing    string        // a source that fails from half of the year on
	ill        int           // 0: the antivirus is well; else which trouble
	spooled    int
	encrypted  bool
	cloneOf    *machine // whose disk was copied

	id      string
	cert    *x509.Certificate
	session *ingest.Session
	agent   string

	list    []install
	entries map[string]int // programs by source, when m was last looked at
	eset    bool
	digest  inventory.Digest
	tracks  []tracked
}

// tracked is a track that a machine follows, and where it stands.
type tracked struct {
	*track
	at int
}

func (m *machine) windows() bool { return strings.HasPrefix(m.os, "windows") }

func (m *machine) server() bool { return m.model.kind == "server" || m.model.kind == "virtual" }

// count counts the programs by source.
func (m *machine) count(p *pool) {
	m.entries = make(map[string]int, 6)
	for _, i := range m.list {
		x := &p.list[i.prog]
		m.entries[x.Source]++
		m.eset = m.eset || strings.HasPrefix(x.Name, "ESET ")
	}
}

// begin starts a delta.
func (m *machine) begin() *delta {
	return &delta{base: m.digest, removed: map[inventory.Key]struct{}{}}
}

// has reports whether a program is on m.
func (m *machine) has(prog progID) bool {
	for i := range m.list {
		if m.list[i].prog == prog {
			return true
		}
	}
	return false
}

// add puts a program on m, and into d unless d is nil.
func (m *machine) add(p *pool, d *delta, prog progID, at time.Time) {
	i := install{prog: prog, at: uint32(at.Unix())}
	m.list = append(m.list, i)
	if d == nil {
		return
	}
	m.digest = m.digest.Add(p.hash(i))
	delete(d.removed, p.keys[prog])
	d.set = append(d.set, i)
}

// remove takes a program off m. It reports whether it was there.
func (m *machine) remove(p *pool, d *delta, prog progID) bool {
	for n := range m.list {
		if m.list[n].prog != prog {
			continue
		}
		m.digest = m.digest.Sub(p.hash(m.list[n]))
		m.list[n] = m.list[len(m.list)-1]
		m.list = m.list[:len(m.list)-1]
		d.removed[p.keys[prog]] = struct{}{}
		return true
	}
	return false
}

// update brings m's programs to what is out at a time, at most `most` of them.
func (m *machine) update(p *pool, d *delta, now time.Time, most int) {
	for i := range m.tracks {
		t := &m.tracks[i]
		n := t.track.at(now.Add(-m.lags))
		if n <= t.at || len(d.set) >= most {
			continue
		}
		if m.remove(p, d, t.progs[t.at]) {
			m.add(p, d, t.progs[n], now)
		}
		t.at = n
	}
}

// seal computes the digest of the first list.
func (m *machine) seal(p *pool) {
	m.digest = inventory.Digest{}
	for _, i := range m.list {
		m.digest = m.digest.Add(p.hash(i))
	}
}
