// Package assets holds embedded data and nothing else: the vendors'
// descriptions and the catalogue of IAM actions. It is the end of the import
// chain and imports nothing of this module.
package assets
