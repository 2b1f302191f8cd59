// Package draw turns a steps.Screen and what ui knows besides (size, cursor,
// time) into the text of one frame. It is pure: no clock, no terminal, no
// state. Every width, colour and glyph of the program lives here, and Clean is
// the one door for text from outside. It stands between ui and steps.
package draw
