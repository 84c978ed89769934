package roundtriptest

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is quoted stands in the documentation of the thing that it is said to be
// of, in the Go release that runs this test.
func TestEachQuotedSentenceIsInTheDocumentation(t *testing.T) {
	docs := documentation(t)
	for _, c := range slices.Concat(contract, credential, advice) {
		for _, quote := range c.quotes {
			assert.Contains(t, docs[quote.of], quote.text, "%s, of %s", c.name, quote.of)
		}
	}
}

// documentation returns the comments of what net/http exports, with those inside
// of it, on one line each and without the brackets of links.
func documentation(t *testing.T) map[string]string {
	docs := make(map[string]string)
	for path, prefix := range map[string]string{"net/http": "", "net/http/httptrace": "httptrace."} {
		pkg, err := build.Import(path, "", 0)
		require.NoError(t, err)
		for _, name := range pkg.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, name), nil, parser.ParseComments)
			require.NoError(t, err)
			if path == "net/http" && file.Doc != nil {
				docs["package comment"] += onOneLine(file.Doc.Text())
			}
			for _, decl := range file.Decls {
				of, doc := declared(decl)
				if of == "" {
					continue
				}
				text := doc.Text()
				for _, comment := range file.Comments {
					if comment.Pos() >= decl.Pos() && comment.End() <= decl.End() {
						text += " " + comment.Text()
					}
				}
				docs[prefix+of] += onOneLine(text)
			}
		}
	}
	return docs
}

// declared returns the name of what is declared, Type.Method for a method, and
// its comment.
func declared(decl ast.Decl) (of string, doc *ast.CommentGroup) {
	switch decl := decl.(type) {
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			if spec, ok := spec.(*ast.TypeSpec); ok {
				return spec.Name.Name, decl.Doc
			}
		}
	case *ast.FuncDecl:
		if decl.Recv == nil {
			return decl.Name.Name, decl.Doc
		}
		of := decl.Recv.List[0].Type
		if pointer, ok := of.(*ast.StarExpr); ok {
			of = pointer.X
		}
		if of, ok := of.(*ast.Ident); ok {
			return of.Name + "." + decl.Name.Name, decl.Doc
		}
	}
	return "", nil
}

func onOneLine(text string) string {
	text = strings.NewReplacer("[", "", "]", "").Replace(text)
	return " " + strings.Join(strings.Fields(text), " ")
}
