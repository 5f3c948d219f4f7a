package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxLines is where a file has become two.
const maxLines = 450

// eachFile parses every Go file of ours that is written by hand.
func eachFile(t *testing.T, fn func(path string, fset *token.FileSet, f *ast.File, src []byte)) {
	t.Helper()
	top := root(t)
	n := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != top && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(src[:min(len(src), 2000)], []byte("DO NOT EDIT")) {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, src, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		n++
		fn(rel, fset, f, src)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Fatalf("read %d files: the walls would hold for nothing", n)
	}
}

func TestNoInitNoMutableGlobals(t *testing.T) {
	eachFile(t, func(path string, fset *token.FileSet, f *ast.File, _ []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init(); lists are written out, values are passed in", path)
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				for _, lhs := range written(n) {
					if id := base(lhs); id != nil && isGlobal(f, id) {
						t.Errorf("%s: writes the package variable %s", fset.Position(id.Pos()), id.Name)
					}
				}
				return true
			})
		}
	})
}

// written returns the expressions that n assigns to.
func written(n ast.Node) []ast.Expr {
	switch s := n.(type) {
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE {
			return s.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{s.X}
	}
	return nil
}

// base returns the identifier that an assignment to e changes, through index and field.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func isGlobal(f *ast.File, id *ast.Ident) bool {
	obj := f.Scope.Lookup(id.Name)
	return obj != nil && obj.Kind == ast.Var && id.Obj == obj
}

func TestFilesStaySmall(t *testing.T) {
	eachFile(t, func(path string, _ *token.FileSet, _ *ast.File, src []byte) {
		if n := bytes.Count(src, []byte("\n")); n > maxLines && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s has %d lines; %d is where a file has become two", path, n, maxLines)
		}
	})
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	said := map[string]bool{}
	eachFile(t, func(path string, _ *token.FileSet, f *ast.File, _ []byte) {
		dir := filepath.Dir(path)
		said[dir] = said[dir] || f.Doc != nil
	})
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	known := map[string]bool{"agent": true, "collector": true, "proto": true, "installer": true, "internal": true,
		"go.mod": true, "go.sum": true, "Makefile": true, "README.md": true,
		"bin": true, "dist": true, "run": true} // the last three are built, and ignored by git
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] && !strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s stands at the top level; see the README's architecture for its room", e.Name())
		}
	}
}
