package demo

import (
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
	"vigia/internal/policy/policyfile"
)

// owner answers for the rules of the sample.
const owner = "admin@example.com"

// ruleAt is a rule and the day of the year on which it comes into the list; gone is the
// day on which it is taken out again, 0 for never.
type ruleAt struct {
	day, gone int
	policy.Rule
}

// Days of the year on which the mode changes.
const (
	dayRules   = 38
	dayMonitor = 46
	dayEnforce = 90
)

// stage is one change of the allowlist.
type stage struct {
	day  int
	mode authorization.Mode // switched; empty: the rules are imported
	file string             // what the import calls itself
	undo bool
}

func stages() []stage {
	return []stage{
		{day: dayRules, file: "reglas-iniciales.yaml"},
		{day: dayMonitor, mode: authorization.Monitor},
		{day: 61, file: "areas-tecnicas.yaml"},
		{day: 78, file: "programas-prohibidos.yaml"},
		{day: dayEnforce, mode: authorization.Enforce},
		{day: 124, file: "excepciones-primer-trimestre.yaml"},
		{day: 169, file: "soporte-remoto.yaml"},
		{day: 214, file: "excepciones-mitad-de-año.yaml"},
		{day: 215, file: "anydesk-para-todos.yaml"},
		{day: 215, undo: true},
		{day: 268, file: "excepciones-tercer-trimestre.yaml"},
		{day: 322, file: "revision-semestral.yaml"},
	}
}

// rulesOn returns the file that is imported on a day of the year that begins at from.
func rulesOn(cat *catalogue, from time.Time, s stage) *policyfile.File {
	f := &policyfile.File{}
	for _, r := range ruleBook(cat, from) {
		if r.day <= s.day && (r.gone == 0 || s.day < r.gone) {
			f.Rules = append(f.Rules, r.Rule)
		}
	}
	if s.file == "anydesk-para-todos.yaml" {
		f.Rules = append(f.Rules, allow("AnyDesk para todos", policy.Match{Name: "AnyDesk*"}, "pedido por teléfono, sin ticket"))
	}
	baseline := true
	f.Baseline = &baseline
	return f
}

func allow(name string, m policy.Match, reason string) policy.Rule {
	return policy.Rule{Name: name, Effect: policy.Allow, Match: m, Owner: owner, Reason: reason}
}

func in(r policy.Rule, areas ...string) policy.Rule {
	r.Scope.Areas = areas
	return r
}

// ruleBook lists every rule of the year.
func ruleBook(cat *catalogue, from time.Time) []ruleAt {
	var book []ruleAt
	add := func(day int, rules ...policy.Rule) {
		for _, r := range rules {
			book = append(book, ruleAt{day: day, Rule: r})
		}
	}
	add(dayRules, makers()...)
	add(dayRules, office()...)
	add(dayRules, linux(cat)...)
	add(61, technical()...)
	add(78, prohibited()...)
	return append(book, exceptions(from)...)
}

// makers are companies whose drivers and tools come with the machines.
func makers() []policy.Rule {
	rules := []policy.Rule{
		allow("Aplicaciones de Windows", policy.Match{Source: "appx", Publisher: "Microsoft Corporation"}, "vienen con el sistema operativo"),
		allow("Microsoft", policy.Match{Source: "registry", Publisher: "Microsoft*"}, "contrato de Microsoft 365"),
	}
	for _, m := range []string{"Intel*", "Realtek*", "Synaptics*", "NVIDIA*", "Advanced Micro Devices*", "HP Inc.", "Dell Inc.", "Lenovo*", "Canon*", "Seiko Epson*", "VMware*"} {
		rules = append(rules, allow("Controladores de "+strings.TrimRight(m, "*."), policy.Match{Source: "registry", Publisher: m}, "controladores y utilerías del fabricante del equipo"))
	}
	return rules
}

// office is what everybody may have.
func office() []policy.Rule {
	finance := []string{"Contabilidad", "Tesorería", "Compras", "Recursos Humanos"}
	registry := func(name string) policy.Match { return policy.Match{Source: "registry", Name: name} }
	return []policy.Rule{
		allow("Google Chrome", registry("Google Chrome"), "navegador de la empresa"),
		allow("Mozilla Firefox", policy.Match{Source: "registry", Publisher: "Mozilla"}, "navegador alterno"),
		allow("Adobe Acrobat", registry("Adobe Acrobat*"), "licencias por suscripción"),
		allow("7-Zip", registry("7-Zip*"), "compresor de la empresa"),
		allow("ESET", policy.Match{Source: "registry", Publisher: "ESET*"}, "antivirus contratado"),
		allow("Soporte remoto de Sistemas", policy.Match{Name: "teamviewer*host"}, "lo instala Sistemas"),
		allow("VPN", policy.Match{Name: "forticlient*"}, "acceso remoto"),
		allow("Zoom", policy.Match{Name: "*zoom*", Source: "registry"}, "reuniones con clientes"),
		allow("PDF24", registry("PDF24 Creator"), "creación de PDF"),
		allow("SAP GUI", registry("SAP GUI*"), "ERP del corporativo"),
		allow("Java de Oracle", registry("Java 8*"), "lo pide el banco"),
		allow("Veeam", policy.Match{Source: "registry", Publisher: "Veeam*"}, "respaldos"),
		in(allow("CONTPAQi", registry("CONTPAQi*"), "contabilidad y nóminas"), append(finance, areaIT)...),
		in(allow("Aspel", registry("Aspel*"), "contabilidad"), append(finance, areaIT)...),
		allow("vigia-agent", policy.Match{Source: "deb", Name: "vigia-agent"}, "lo instala Sistemas"),
	}
}

// linux is what is asked for by name on Linux machines.
func linux(cat *catalogue) []policy.Rule {
	rules := []policy.Rule{
		allow("Google Chrome en Linux", policy.Match{Source: "deb", Name: "google-chrome-stable", Origin: "Google LLC"}, "navegador de la empresa"),
		allow("Visual Studio Code en Linux", policy.Match{Source: "deb", Name: "code", Origin: "vscode*"}, "editor"),
		allow("Snaps de escritorio", policy.Match{Source: "snap", Origin: "snapcraft", Publisher: "Canonical"}, "vienen con Ubuntu"),
		allow("Firefox de Ubuntu", policy.Match{Source: "snap", Name: "firefox"}, "navegador alterno"),
		allow("Flatseal", policy.Match{Source: "flatpak", Name: "com.github.tchx84.Flatseal"}, "permisos de aplicaciones"),
		allow("Zoom en Linux", policy.Match{Source: "flatpak", Name: "us.zoom.Zoom"}, "reuniones con clientes"),
		allow("Escritorio de Ubuntu", policy.Match{Source: "deb", Name: "ubuntu-*", Origin: "Ubuntu"}, "sistema operativo"),
	}
	technical := []string{areaEngineering, "Proyectos", areaIT}
	for _, p := range cat.packages {
		if !p.requested || p.base {
			continue
		}
		r := allow("Paquete "+p.name, policy.Match{Source: "deb", Name: policy.EscapeGlob(p.name)}, "del repositorio de la distribución")
		if !strings.ContainsAny(p.groups, "bdsgo") {
			r.Scope.Areas = technical
		}
		if strings.Contains(p.groups, "s") && !strings.ContainsAny(p.groups, "bd") {
			r.Scope.Areas = []string{areaIT}
		}
		rules = append(rules, r)
	}
	slices.SortFunc(rules, func(a, b policy.Rule) int { return strings.Compare(a.Name, b.Name) })
	return rules
}

// technical is what engineers may have.
func technical() []policy.Rule {
	areas := []string{areaEngineering, "Proyectos", areaIT}
	var rules []policy.Rule
	for _, r := range []struct{ name, publisher, reason string }{
		{"Autodesk", "Autodesk*", "licencias de red AutoCAD y Revit"},
		{"SOLIDWORKS", "Dassault*", "38 licencias"},
		{"MATLAB", "MathWorks", "2 licencias"},
		{"Siemens TIA Portal", "Siemens AG", "programación de PLC"},
		{"Rockwell", "Rockwell Automation", "programación de PLC"},
		{"Notepad++", "Notepad++ Team", "editor"},
		{"Python", "Python Software Foundation", "scripts de cálculo"},
		{"Git", "The Git Development Community", "control de versiones"},
	} {
		rules = append(rules, in(allow(r.name, policy.Match{Source: "registry", Publisher: r.publisher}, r.reason), areas...))
	}
	return append(rules,
		in(allow("PuTTY", policy.Match{Source: "registry", Name: "PuTTY*"}, "equipos de red"), areas...),
		in(allow("WinSCP", policy.Match{Source: "registry", Name: "WinSCP*"}, "transferencia a equipos"), areas...))
}

// prohibited may be nowhere.
func prohibited() []policy.Rule {
	var rules []policy.Rule
	for _, r := range []struct{ name, match, reason string }{
		{"Prohibido: µTorrent", "µTorrent*", "descargas entre particulares"},
		{"Prohibido: qBittorrent", "qbittorrent*", "descargas entre particulares"},
		{"Prohibido: activadores", "KMSpico*", "licencias ilegales"},
		{"Prohibido: minería", "xmrig*", "uso indebido del equipo"},
		{"Prohibido: Cheat Engine", "Cheat Engine*", "uso indebido del equipo"},
		{"Prohibido: Hydra", "hydra", "herramienta de ataque"},
		{"Prohibido: Tor", "tor?browser*", "evade los controles de la red"},
		{"Prohibido: ngrok", "ngrok", "abre la red interna"},
	} {
		rules = append(rules, policy.Rule{Name: r.name, Effect: policy.Deny, Match: policy.Match{Name: r.match}, Owner: owner, Reason: r.reason})
	}
	return rules
}

// pilots try what may be allowed to everybody later.
func pilots() policy.Rule {
	r := allow("Brave en equipos piloto", policy.Match{Name: "*brave*"}, "ticket 1211: prueba de navegador")
	r.Scope.Groups = []string{"Pilotos"}
	return r
}

// exceptions are granted through the year; most end.
func exceptions(from time.Time) []ruleAt {
	day := func(n int) time.Time { return from.Add(time.Duration(n) * 24 * time.Hour).Truncate(time.Second) }
	grant := func(since, until int, r policy.Rule, areas ...string) ruleAt {
		if until > 0 {
			r.ValidUntil = day(until)
		}
		r.Scope.Areas = areas
		return ruleAt{day: since, Rule: r}
	}
	return []ruleAt{
		grant(124, 305, allow("AnyDesk para Mantenimiento", policy.Match{Name: "anydesk*"}, "ticket 1187: proveedor de compresores"), "Mantenimiento"),
		grant(124, 0, allow("VLC para Calidad y Ventas", policy.Match{Name: "VLC media player"}, "ticket 1203: videos de capacitación"), "Calidad", "Ventas"),
		grant(124, 260, allow("WinRAR en Compras", policy.Match{Name: "WinRAR*"}, "ticket 1219: archivos del proveedor, mientras cambia a ZIP"), "Compras"),
		grant(169, 0, allow("VirtualBox en Tecnologías de información", policy.Match{Name: "virtualbox*"}, "ticket 1302: pruebas"), areaIT),
		grant(169, 410, allow("RustDesk en Tecnologías de información", policy.Match{Name: "rustdesk"}, "ticket 1310: prueba de reemplazo de TeamViewer"), areaIT),
		grant(214, 395, allow("Canva para Ventas", policy.Match{Name: "Canva"}, "ticket 1450: campaña de otoño"), "Ventas"),
		grant(214, 380, allow("Dropbox para Proyectos", policy.Match{Name: "Dropbox"}, "ticket 1466: planos del cliente"), "Proyectos"),
		grant(214, 0, allow("OBS para Calidad", policy.Match{Name: "com.obsproject.Studio"}, "ticket 1471: grabación de procedimientos"), "Calidad"),
		grant(268, 372, allow("Telegram en Obra", policy.Match{Name: "*telegram*"}, "ticket 1588: grupo con el contratista"), "Proyectos", "Mantenimiento"),
		grant(268, 0, allow("Node.js de desarrollo", policy.Match{Name: "node", Source: "file"}, "ticket 1603"), areaIT, areaEngineering),
		grant(322, 500, allow("WhatsApp para Ventas", policy.Match{Name: "WhatsApp"}, "ticket 1710: atención a clientes"), "Ventas"),
		{day: 124, Rule: pilots()},
		grant(322, 0, allow("Notion para Dirección", policy.Match{Name: "Notion"}, "ticket 1722"), "Dirección General"),
	}
}
