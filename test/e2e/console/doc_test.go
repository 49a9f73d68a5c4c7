// Package console drives the page of the admin port in headless Chromium, as a
// person would, against real nodes. It is a module of its own, so that Ouro depends
// on no browser; ./run starts it.
package console
