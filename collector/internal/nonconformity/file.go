package nonconformity

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"vigia/collector/internal/apperr"
)

// Bounds of attachments.
const (
	MaxFile      = 10 << 20 // bytes of one
	maxFiles     = 50 << 20 // of all of a record
	maxFileCount = 50
)

// fileType is a type that may be attached: what its content begins with, and the ends of
// its name.
type fileType struct {
	mime  string
	begin []string
	ends  []string
}

// fileTypes lists what may be attached. Nothing in it runs when it is opened: office
// documents with macros have other names.
func fileTypes() []fileType {
	return []fileType{
		{"application/pdf", []string{"%PDF-"}, []string{".pdf"}},
		{"image/png", []string{"\x89PNG\r\n\x1a\n"}, []string{".png"}},
		{"image/jpeg", []string{"\xff\xd8\xff"}, []string{".jpg", ".jpeg"}},
		{"image/gif", []string{"GIF87a", "GIF89a"}, []string{".gif"}},
		{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", []string{"PK\x03\x04"}, []string{".docx"}},
		{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []string{"PK\x03\x04"}, []string{".xlsx"}},
		{"application/vnd.oasis.opendocument.text", []string{"PK\x03\x04"}, []string{".odt"}},
		{"application/vnd.oasis.opendocument.spreadsheet", []string{"PK\x03\x04"}, []string{".ods"}},
		{"message/rfc822", nil, []string{".eml"}},
		{"text/plain", nil, []string{".txt", ".log", ".csv"}},
	}
}

// FileEnds lists the ends of names that may be attached.
func FileEnds() []string {
	var list []string
	for _, t := range fileTypes() {
		list = append(list, t.ends...)
	}
	return list
}

// inspect tells what a file is by its content; its name must agree.
func inspect(name string, content []byte) (FileFact, error) {
	name = fileName(name)
	bad := func(key string) (FileFact, error) {
		return FileFact{}, apperr.New(apperr.Invalid, key, apperr.Args{"field": "file", "value": name, "types": FileEnds(), "max": MaxFile >> 20})
	}
	if len(content) == 0 || len(content) > MaxFile {
		return bad("nonconformity.file-size")
	}
	end := strings.ToLower(path.Ext(name))
	for _, t := range fileTypes() {
		if !slices.Contains(t.ends, end) {
			continue
		}
		if t.begin == nil && (!utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0) {
			return bad("nonconformity.file-type")
		}
		if t.begin != nil && !slices.ContainsFunc(t.begin, func(b string) bool { return bytes.HasPrefix(content, []byte(b)) }) {
			return bad("nonconformity.file-type")
		}
		if strings.HasPrefix(t.begin0(), "PK") && bytes.Contains(content, []byte("vbaProject.bin")) {
			return bad("nonconformity.file-type")
		}
		return FileFact{Name: name, Type: t.mime, Size: len(content)}, nil
	}
	return bad("nonconformity.file-type")
}

func (t fileType) begin0() string {
	if len(t.begin) == 0 {
		return ""
	}
	return t.begin[0]
}

// fileName is the last part of a name, without what a file system or a header would
// take amiss.
func fileName(s string) string {
	s = strings.ReplaceAll(s, `\`, "/")
	s = path.Base(trim(s))
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("\n\"<>:|?*/;%", r) {
			return '_'
		}
		return r
	}, s)
	if len(s) > 150 {
		end := path.Ext(s)
		s = cut(s[:len(s)-len(end)], 140) + cut(end, 10)
	}
	return s
}
