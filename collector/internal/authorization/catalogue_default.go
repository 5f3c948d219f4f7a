package authorization

import "strings"

// BuiltIn is the catalogue as it is before anybody changed it: names as programs report
// them, from the publishers' own installers and Debian's packages. Patterns are narrow on
// purpose: a harmless program graded as critical costs more trust than one that is missed.
func BuiltIn() Catalogue {
	c := Catalogue{PurchaseFrom: 1, Rulings: []Ruling{
		{HackingTool, Critical, true}, {RemoteControl, Critical, true}, {PeerToPeer, Major, true}, {WideExtension, Major, false},
		{UnsupportedThing, Major, false}, {Commercial, Major, true}, {Game, Minor, true}, {UnknownThing, Minor, false},
	}}
	for _, k := range []struct {
		category Category
		names    string // separated by "|"
	}{
		{HackingTool, "mimikatz*|hashcat*|john|john the ripper*|hydra|hydra-gtk|thc-hydra*|aircrack-ng*|wireshark*|nmap*|zenmap*|masscan|ettercap*|sqlmap*|metasploit*|cain*abel*|kmsauto*|kmspico*|kms-*activator*|netcat*|ophcrack*|responder|bettercap*|burp suite*|process hacker*|ncrack|medusa|l0phtcrack*|passview*|*password recovery*|*keygen*|produkey*"},
		{RemoteControl, "anydesk*|teamviewer*|ultravnc*|tightvnc*|realvnc*|vnc viewer*|vnc server*|vnc connect*|x11vnc|tigervnc*|rustdesk*|ammyy*|supremo*|logmein*|gotomypc*|splashtop*|radmin*|dwservice*|dwagent*|iperius remote*|remote utilities*|chrome remote desktop*|screenconnect*|connectwise control*|parsec*|nomachine*|xrdp|remmina*|aeroadmin*|zoho assist*|getscreen*|hoptodesk*|ngrok*|tailscale*|zerotier*"},
		{PeerToPeer, "utorrent*|µtorrent*|bittorrent*|qbittorrent*|transmission-*|transmission|deluge*|emule*|amule*|vuze*|ares galaxy*|limewire*|frostwire*|popcorn time*|ktorrent*|rtorrent|aria2|soulseek*|nicotine*|gtk-gnutella|shareaza*|tor browser*|torbrowser-launcher|tor"},
		{Game, "steam|steam:*|steam-*|epic games*|roblox*|minecraft*|tlauncher*|league of legends*|valorant*|riot client*|riot vanguard*|battle.net*|fortnite*|counter-strike*|dota*|gog galaxy*|origin|ea app*|ubisoft connect*|uplay*|free fire*|bluestacks*|ldplayer*|nox app*|supertux*|0ad|openarena|aisleriot|gnome-mines|gnome-sudoku|gnome-mahjongg|quadrapassel|wesnoth*|freeciv*|solitaire*|candy crush*|among us*|genshin*|lutris|playonlinux"},
		{UnsupportedThing, "adobe flash player*|microsoft silverlight*|adobe shockwave*|internet explorer*|java 6*|java 7*|java(tm) 6*|java(tm) 7*|python 2.*|apple quicktime*|quicktime*|microsoft office 2010*|microsoft office 2007*|microsoft office professional plus 2010*|microsoft office 2013*|windows live*|skype for windows xp*|winamp*|microsoft sql server 2008*|microsoft .net framework 1*"},
		{Commercial, "winrar*|autocad*|autodesk*|adobe photoshop*|adobe illustrator*|adobe acrobat*pro*|adobe premiere*|adobe creative*|adobe indesign*|coreldraw*|solidworks*|mathematica*|matlab*|microsoft visio*|microsoft project*|camtasia*|snagit*|ccleaner professional*|internet download manager*|winzip*|nitro pro*|foxit*phantom*|foxit pdf editor*|sketchup pro*|vmware workstation*|vmware fusion*|parallels*|aspel*|contpaqi*|compac*|spss*|ibm spss*|minitab*|stata*|originpro*|lumion*|v-ray*|rhinoceros*|revit*|teamviewer*host*"},
		{WideExtension, "*ublock*|*hola*vpn*|*free vpn*|touch vpn*|browsec*|zenmate*|*proxy switch*|tampermonkey*|greasemonkey*|violentmonkey*|*video downloader*|honey*coupon*|*grammarly for*"},
	} {
		for name := range strings.SplitSeq(k.names, "|") {
			c.Rules = append(c.Rules, CatalogueRule{ID: int64(len(c.Rules) + 1), Category: k.category, Name: name})
		}
	}
	return c
}
