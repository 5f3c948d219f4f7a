package smbios

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Meaningful returns s trimmed, or "" where it is one of the texts that makers leave
// in place of a value, so that it never serves to recognise a machine.
func Meaningful(s string) string {
	s = strings.TrimSpace(s)
	folded := strings.ToLower(strings.Trim(s, " .!*[]()<>"))
	if folded == "" || oneCharacter(folded) || isPlaceholder(folded) {
		return ""
	}
	return s
}

// isPlaceholder knows the texts seen in the field, folded.
func isPlaceholder(s string) bool {
	switch s {
	case "default string", "default", "to be filled by o.e.m", "to be filled by oem", "tobefilledbyo.e.m",
		"not specified", "unspecified", "not applicable", "not available", "not provided", "not settable", "not set",
		"none", "null", "n/a", "na", "nil", "unknown", "unknow", "undefined", "invalid", "empty", "no dimm", "no module installed",
		"oem", "o.e.m", "oem_define", "o.e.m. default", "oem default string", "default_string", "fill by oem", "filled by o.e.m",
		"system serial number", "system product name", "system manufacturer", "system version", "system name", "system uuid",
		"sku", "family", "system sku", "system sku number", "sku number", "serial number", "serialnumber", "type1productconfigid",
		"chassis serial number", "chassis version", "chassis manufacturer", "chassis asset tag", "chassis asset",
		"base board serial number", "base board version", "base board asset tag", "base board manufacturer", "base board product name",
		"asset tag", "asset-1234567890", "no asset tag", "no asset information", "noassettag", "asset tag number",
		"mb-1234567890", "bsn12345678901234567", "0123456789", "123456789", "1234567890", "01234567890123456789", "12345678",
		"0123456789abcdef", "abcdefghijk", "ffffffff", "sernum0", "sernum1", "sernum2", "sernum3", "manufacturer0", "manufacturer1",
		"manufacturer2", "manufacturer3", "partnum0", "partnum1", "partnum2", "partnum3", "assettagnum0", "assettagnum1",
		"assettagnum2", "assettagnum3", "array1_partnumber0", "modulepartnumber", "moduleserial", "modulemanufacturer",
		"part number", "partnumber", "manufacturer", "cpusocket", "eval", "test", "dummy", "xx-xx-xx", "0x00000000", "0x0000":
		return true
	}
	return strings.HasPrefix(s, "to be filled by") || strings.HasPrefix(s, "default string ")
}

// oneCharacter reports whether s is nothing but one filler repeated: "00000000", "xxxx", "-".
func oneCharacter(s string) bool {
	if strings.Trim(s, s[:1]) != "" {
		return false
	}
	return len(s) >= 3 || strings.Contains("0xf.-_*#?", s[:1])
}

// uuid returns the 16 bytes as text of RFC 4122, or "" for what identifies nothing: all
// zero ("not present"), all ones ("not set") and values that makers copy from board to
// board. The first three fields are little-endian from SMBIOS 2.6 on; before it the
// specification did not say and firmware wrote them in network order, as the Linux
// kernel takes them too.
func uuid(b []byte, v Version) string {
	if len(b) != 16 {
		return ""
	}
	u := [16]byte(b)
	if v.AtLeast(2, 6) {
		u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
		u[4], u[5], u[6], u[7] = u[5], u[4], u[7], u[6]
	}
	h := hex.EncodeToString(u[:])
	return RealUUID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// RealUUID returns text in lower case, or "" where it is no UUID or one that
// identifies nothing.
func RealUUID(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if len(text) != 36 {
		return ""
	}
	digits := strings.ReplaceAll(text, "-", "")
	if len(digits) != 32 || strings.Trim(digits, "0123456789abcdef") != "" || oneCharacter(digits) {
		return ""
	}
	switch text {
	case "03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009",
		"12345678-1234-5678-90ab-cddeefaabbcc", "78563412-3412-7856-90ab-cddeefaabbcc",
		"00000000-0000-0000-0000-000000000001", "01234567-8910-1112-1314-151617181920",
		"ffffff00-ffff-ffff-ffff-ffffffffffff", "fefefefe-fefe-fefe-fefe-fefefefefefe":
		return ""
	}
	return text
}

// Date turns "mm/dd/yyyy" (or the older "mm/dd/yy", of the years 1980 to 2079) into an
// RFC 3339 full-date; "" where it is no date.
func Date(s string) string {
	t, err := time.Parse("01/02/2006", s)
	if err != nil {
		var m, d, y int
		if _, err := fmt.Sscanf(s, "%2d/%2d/%2d", &m, &d, &y); err != nil || len(s) != 8 {
			return ""
		}
		if y += 1900; y < 1980 {
			y += 100
		}
		t = time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
		if int(t.Month()) != m || t.Day() != d {
			return ""
		}
	}
	return t.Format(time.DateOnly)
}
