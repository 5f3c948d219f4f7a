package fleetsim

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"vigia/internal/inventory"
)

// DefaultPrograms is how many programs a simulated machine has on average.
const DefaultPrograms = 900

// Generator makes inventories of a company's machines. The same seed, Start and
// Programs make the same machines, in whatever order they are asked for. It is safe
// for concurrent use once its fields are set.
type Generator struct {
	Start    time.Time // when first inventories are taken; 5 October 2026 unless set
	Programs int       // programs of a machine on average; DefaultPrograms unless set

	seed  uint64
	stock catalogue
}

// class is a kind of machine. weight is its share in percent; more names the class
// whose packages such machines have in part.
type class struct {
	name, prefix, more string
	weight             int
	patient            bool // updates are held back
}

func classes() []class {
	return []class{
		{"office", "ofi", "sales", 42, false},
		{"sales", "ven", "office", 22, false},
		{"engineering", "ing", "office", 14, false},
		{"design", "dis", "office", 8, false},
		{"it", "sis", "office", 6, false},
		{"server", "srv", "it", 8, true},
	}
}

// NewGenerator returns a generator for a seed.
func NewGenerator(seed uint64) (*Generator, error) {
	stock, err := parseCatalogue(packagesTSV)
	if err != nil {
		return nil, err
	}
	return &Generator{Start: time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC), Programs: DefaultPrograms, seed: seed, stock: stock}, nil
}

// random is the source of one machine's or event's choices.
func (g *Generator) random(what string, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(g.seed, n^hash(what)))
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// machine is what the parts of one inventory have in common while it is made.
type machine struct {
	*Generator
	r       *rand.Rand
	number  int
	class   class
	ring    int       // how many updates it is behind
	since   time.Time // when it was installed
	offset  time.Duration
	user    string
	serial  string
	uuid    string
	address uint32
}

// Machine returns the first whole inventory of machine i (0 or more), normalized. Its
// serial number, UUID, machine id and MAC address are no other machine's.
func (g *Generator) Machine(i int) *inventory.Snapshot {
	m := g.machine(i)
	s := &inventory.Snapshot{TakenAt: g.Start}
	s.Machine = inventory.Machine{Hostname: fmt.Sprintf("%s-%05d", m.class.prefix, i), Domain: "example.com",
		Serial: m.serial, UUID: m.uuid, MachineID: strings.ReplaceAll(m.uuid, "-", "")}
	s.Hardware, s.System, s.Antivirus = m.hardware(), m.system(), m.antivirus()
	s.Software = m.software()
	s.Sources = m.sources(s.Software)
	s.Normalize()
	return s
}

func (g *Generator) machine(i int) *machine {
	m := &machine{Generator: g, r: g.random("machine", uint64(i)), number: i}
	share := m.r.IntN(100)
	for _, m.class = range classes() {
		if share -= m.class.weight; share < 0 {
			break
		}
	}
	m.ring = pick(m.r, 55, 25, 15, 5)
	if m.class.patient {
		m.ring++
	}
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], m.r.Uint64())
	binary.BigEndian.PutUint64(id[8:], m.r.Uint64())
	binary.BigEndian.PutUint32(id[:4], uint32(i)) // so that no two machines share it
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	m.uuid = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	m.serial = fmt.Sprintf("SIM%04X%05d", g.seed&0xffff, i)
	m.user = fmt.Sprintf("u%05d", i)
	m.address = uint32(i)
	m.since = g.Start.AddDate(0, 0, -30-m.r.IntN(700)).Add(time.Duration(m.r.IntN(8*3600)) * time.Second)
	if m.r.IntN(100) < 60 { // cloned from one of the images of its class
		m.since = g.Start.AddDate(0, -4*(1+m.r.IntN(3)), 0).Add(time.Duration(hash(m.class.name)%28_800) * time.Second)
	}
	m.offset = time.Duration(m.r.IntN(3600)) * time.Second
	return m
}

// pick returns the index of one of the weights, drawn by weight.
func pick(r *rand.Rand, weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := r.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// software lists what the machine has: what all have, what its class has, some of what
// another class has, packages somebody asked for (few of them popular, most rare), and
// files in people's homes and /opt that no other machine has.
func (m *machine) software() []inventory.Program {
	want := m.Programs + m.r.IntN(m.Programs/9+1) - m.Programs/18
	files := min(2+m.r.IntN(5), want)
	list := make([]inventory.Program, 0, want)
	has := make(map[string]bool, want)
	add := func(p pkg, order int) {
		if len(list) < want-files && !has[p.name] {
			has[p.name] = true
			list = append(list, m.program(p, order))
		}
	}
	part := func(group string, share int) { // share in percent of a group, the same for all machines of one share
		for n, p := range m.stock[group] {
			if int(hash(p.name, m.class.name)%100) < share {
				add(p, n)
			}
		}
	}
	part(groupCommon, min(100, m.Programs*100/DefaultPrograms))
	part(m.class.name, min(100, m.Programs*100/DefaultPrograms))
	tail := m.stock[groupTail]
	zipf := rand.NewZipf(m.r, 1.3, 12, uint64(len(tail)-1))
	for range 10 + m.r.IntN(30) {
		add(tail[zipf.Uint64()], -1)
	}
	for n, p := range m.stock[m.class.more] { // until the number is full
		if m.r.IntN(100) < 70 {
			add(p, n)
		}
	}
	for len(list) < want-files && len(has) < m.Programs*2 {
		before := len(list)
		for _, at := range m.r.Perm(len(tail)) {
			add(tail[at], -1)
		}
		if len(list) == before {
			break
		}
	}
	for n := range files {
		list = append(list, m.file(n))
	}
	return list
}

// program is package p as this machine has it. order is its place in the installation;
// negative where somebody added it later.
func (m *machine) program(p pkg, order int) inventory.Program {
	version, at := p.version, m.since.Add(time.Duration(order)*400*time.Millisecond)
	if len(p.older) > 0 {
		if behind := min(m.ring, len(p.older)); behind > 0 && hash(p.name)%3 != 0 {
			version = p.older[behind-1]
		}
		wave := 7 + int(hash(p.name)%12)*14 // days ago that it was updated
		if updated := m.Start.AddDate(0, 0, -wave-30*m.ring).Add(m.offset); updated.After(at) {
			at = updated
		}
	}
	if order < 0 {
		at = m.Start.Add(-time.Duration(m.r.IntN(300*24)) * time.Hour).Add(m.offset)
	}
	return inventory.Program{Name: p.name, Version: version, Publisher: p.publisher, Origin: "Debian", Source: "deb", Scope: inventory.ScopeMachine,
		Arch: p.arch, InstalledAt: at, Requested: p.requested, Base: p.base}
}

// file is a program that no package owns: some of a few tools that many bring along,
// most of its own.
func (m *machine) file(n int) inventory.Program {
	name, version := fmt.Sprintf("herramienta-%05d-%d", m.number, n), fmt.Sprintf("%d.%d", 1+m.r.IntN(4), m.r.IntN(20))
	if m.r.IntN(100) < 40 {
		name = fmt.Sprintf("portable-%02d", m.r.IntN(40))
	}
	p := inventory.Program{Name: name, Version: version, Source: "file", Scope: inventory.ScopeUser, User: m.user, Arch: "amd64", Requested: true,
		Path:        "/home/" + m.user + "/Aplicaciones/" + name + ".AppImage",
		InstalledAt: m.Start.Add(-time.Duration(m.r.IntN(200*24*3600)) * time.Second)}
	if m.r.IntN(100) < 30 {
		p.Scope, p.User, p.Path = inventory.ScopeMachine, "", "/opt/"+name+"/bin/"+name
	}
	return p
}
