module weighbridge.invalid/referrers-registry

go 1.26.7

require github.com/google/go-containerregistry v0.21.7
