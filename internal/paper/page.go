package paper

import (
	_ "embed"
	"html/template"
	"time"
)

//go:embed page.html
var pageSource string

func page() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"seconds": func(d time.Duration) string { return d.Round(100 * time.Millisecond).String() },
		"day":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
	}).Parse(pageSource))
}
