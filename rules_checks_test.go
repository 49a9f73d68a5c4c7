package ouro_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
)

// house is the module's code, as the checks see it.
type house struct {
	fset     *token.FileSet
	packages map[string][]*ast.File // by folder; "." is the root
	typed    map[string]*types.Package
	info     *types.Info
	broken   []string
}

// check returns what breaks the rules in sources: file names, relative to the
// module's folder, to their text.
func check(sources map[string]string) []string {
	h := &house{
		fset: token.NewFileSet(), packages: map[string][]*ast.File{}, typed: map[string]*types.Package{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}},
	}
	for name, text := range sources {
		file, err := parser.ParseFile(h.fset, name, text, parser.ParseComments)
		if err != nil {
			h.broken = append(h.broken, err.Error())
			continue
		}
		h.packages[path.Dir(name)] = append(h.packages[path.Dir(name)], file)
	}
	for folder, files := range h.packages {
		h.names(folder, files)
		for _, file := range files {
			h.imports(folder, file)
			h.lengths(file)
			h.selectors(folder, file)
			if inCore(folder) {
				h.purity(file)
			}
		}
		if inCore(folder) {
			h.ranges(folder)
		}
	}
	slices.Sort(h.broken)
	return h.broken
}

func inCore(folder string) bool { return strings.HasPrefix(folder, "internal/core/") }

func listed(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

func (h *house) report(at token.Pos, format string, args ...any) {
	p := h.fset.Position(at)
	h.broken = append(h.broken, fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...)))
}

// names checks what packages and their folders are called.
func (h *house) names(folder string, files []*ast.File) {
	at := files[0].Package
	if listed(vagueNames, path.Base(folder)) || listed(vagueNames, files[0].Name.Name) {
		h.report(at, "%s: its name says nothing: name the package after what it provides", folder)
	}
	if _, known := walls[folder]; !known {
		h.report(at, "%s is not in the table of walls: add it to rules_test.go with what it may import", folder)
	}
}

// imports checks a file's imports against the tables.
func (h *house) imports(folder string, file *ast.File) {
	for _, spec := range file.Imports {
		what, _ := strconv.Unquote(spec.Path.Value)
		inner, own := strings.CutPrefix(what, module+"/")
		if what == module {
			inner, own = ".", true
		}
		first, _, _ := strings.Cut(what, "/")
		std := !own && !strings.Contains(first, ".")
		switch {
		case spec.Name != nil && spec.Name.Name == ".":
			h.report(spec.Pos(), "dot import of %s: import under a name", what)
		case own && peepholes[folder][inner] != "": // selector checks the names
		case own && walls[folder] != "*" && !listed(walls[folder], inner):
			h.report(spec.Pos(), "%s may not import %s: see the walls in rules_test.go; pass what is needed as a value or an interface", folder, inner)
		case !own && inCore(folder) && !listed(coreImports, what):
			h.report(spec.Pos(), "the core imports %s: the core decides and touches nothing; take the result as an argument, or return an effect", what)
		case !own && !std && folder == ".":
			h.report(spec.Pos(), "package ouro imports %s: the vocabulary depends on the standard library alone", what)
		case !own && !std:
			h.library(folder, what, spec.Pos())
		}
	}
}

func (h *house) library(folder, what string, at token.Pos) {
	for prefix, users := range libraries {
		if strings.HasPrefix(what, prefix) && !listed(users, folder) {
			h.report(at, "%s imports %s: only %s may; use what that offers", folder, what, strings.Join(strings.Fields(users), " and "))
		}
	}
}

// lengths checks the ratchets.
func (h *house) lengths(file *ast.File) {
	if ast.IsGenerated(file) {
		return
	}
	if lines := h.fset.Position(file.FileEnd).Line; lines > maxFileLines {
		h.report(file.Package, "the file has %d lines: split it by idea, %d is the most", lines, maxFileLines)
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			if n := h.fset.Position(f.End()).Line - h.fset.Position(f.Pos()).Line + 1; n > maxFuncLines {
				h.report(f.Pos(), "function %s has %d lines: split it, %d is the most", f.Name.Name, n, maxFuncLines)
			}
		}
	}
}

// selectors checks which names of imported packages a file uses.
func (h *house) selectors(folder string, file *ast.File) {
	imported := map[string]string{} // name in this file to path
	for _, spec := range file.Imports {
		what, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(strings.TrimSuffix(what, "/v2"))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = what
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && imported[id.Name] != "" {
				h.selector(folder, imported[id.Name], sel)
			}
		}
		return true
	})
}

// selector checks the use of a name of an imported package.
func (h *house) selector(folder, what string, n *ast.SelectorExpr) {
	inner := strings.TrimPrefix(what, module+"/")
	if names := peepholes[folder][inner]; names != "" && !listed(names, n.Sel.Name) {
		h.report(n.Pos(), "%s may use of %s only %s, not %s: take the rest as a value or an interface", folder, inner, names, n.Sel.Name)
	}
	if rule := forbiddenNames[what]; inCore(folder) && listed(rule.names, n.Sel.Name) {
		h.report(n.Pos(), "the core uses %s.%s: %s", what, n.Sel.Name, rule.instead)
	}
}

// purity checks one file of the core.
func (h *house) purity(file *ast.File) {
	for _, decl := range file.Decls {
		h.declaration(decl)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			h.report(n.Pos(), "the core starts a goroutine: return an effect and let the host run it")
		case *ast.SelectStmt:
			h.report(n.Pos(), "the core has a select: Step takes one input at a time")
		case *ast.ChanType, *ast.SendStmt:
			h.report(n.Pos(), "the core uses a channel: return an effect, take an input")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				h.report(n.Pos(), "the core uses a channel: return an effect, take an input")
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
				h.report(n.Pos(), "the core calls %s: state a fact (package fact)", id.Name)
			}
		}
		return true
	})
}

// declaration forbids package variables, but for what never changes: guards,
// error sentinels and arrays of names; and init functions.
func (h *house) declaration(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.Name == "init" {
			h.report(d.Pos(), "the core has an init function: do it in a constructor")
		}
	case *ast.GenDecl:
		if d.Tok != token.VAR {
			return
		}
		for _, s := range d.Specs {
			spec := s.(*ast.ValueSpec)
			for i, name := range spec.Names {
				var value ast.Expr
				if i < len(spec.Values) {
					value = spec.Values[i]
				}
				if !constant(name.Name, value) {
					h.report(name.Pos(), "the core has the package variable %s: make it a field, an argument or a constant", name.Name)
				}
			}
		}
	}
}

// constant reports whether a package variable is one in name only.
func constant(name string, value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.CompositeLit:
		array, ok := v.Type.(*ast.ArrayType)
		return name == "_" || ok && array.Len != nil
	case *ast.CallExpr:
		return name == "_" || strings.HasPrefix(strings.ToLower(name), "err")
	default:
		return name == "_"
	}
}

// ranges forbids ranging over maps in a package of the core: their order differs
// from run to run.
func (h *house) ranges(folder string) {
	h.typecheck(folder)
	for _, file := range h.packages[folder] {
		ast.Inspect(file, func(n ast.Node) bool {
			loop, ok := n.(*ast.RangeStmt)
			if !ok {
				return true
			}
			if t := h.info.TypeOf(loop.X); t != nil {
				if _, isMap := t.Underlying().(*types.Map); isMap {
					h.report(loop.Pos(), "ranges over a map: its order differs from run to run; keep a sorted slice beside it or instead of it")
				}
			}
			return true
		})
	}
}

// typecheck finds the types of a package's expressions, as far as they come from
// the module: packages from outside it are empty, which makes the check fast, and
// what is of their types is of unknown type.
func (h *house) typecheck(folder string) *types.Package {
	if p, done := h.typed[folder]; done {
		return p
	}
	h.typed[folder] = nil // an import cycle ends here; the compiler reports it
	config := types.Config{
		Importer:                 importer(h.load),
		Error:                    func(error) {},
		DisableUnusedImportCheck: true,
	}
	p, _ := config.Check(path.Join(module, folder), h.fset, h.packages[folder], h.info)
	p.MarkComplete() // it is not, for want of other packages, but its own types are known
	h.typed[folder] = p
	return p
}

// load is the importer's way to a package.
func (h *house) load(what string) (*types.Package, error) {
	folder, own := strings.CutPrefix(what, module+"/")
	if what == module {
		folder, own = ".", true
	}
	if own && len(h.packages[folder]) > 0 {
		if p := h.typecheck(folder); p != nil {
			return p, nil
		}
	}
	empty := types.NewPackage(what, path.Base(strings.TrimSuffix(what, "/v2")))
	empty.MarkComplete()
	return empty, nil
}

type importer func(string) (*types.Package, error)

func (i importer) Import(what string) (*types.Package, error) { return i(what) }
