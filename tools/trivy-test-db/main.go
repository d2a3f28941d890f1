// trivy-test-db writes a vulnerability database in the format of Trivy's (schema 2, a bbolt file) that knows one
// advisory: for tests that scan for real, without the network.
//
//	trivy-test-db <cache folder> <platform, as in "debian 13"> <source package> <CVE id> <severity> [<fixed version>]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

func main() {
	if len(os.Args) < 6 || len(os.Args) > 7 {
		fmt.Fprintln(os.Stderr, "usage: trivy-test-db <cache folder> <platform> <source package> <CVE id> <severity> [<fixed version>]")
		os.Exit(2)
	}
	fixed := ""
	if len(os.Args) == 7 {
		fixed = os.Args[6]
	}
	if err := write(filepath.Join(os.Args[1], "db"), os.Args[2], os.Args[3], os.Args[4], os.Args[5], fixed); err != nil {
		fmt.Fprintln(os.Stderr, "trivy-test-db:", err)
		os.Exit(1)
	}
}

func write(folder, platform, pkg, id, severity, fixed string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	db, err := bolt.Open(filepath.Join(folder, "trivy.db"), 0o644, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return firstError(
			put(tx, []string{"data-source"}, platform, map[string]string{
				"ID": "debian", "Name": "Debian Security Tracker", "URL": "https://salsa.debian.org/security-tracker-team/security-tracker",
			}),
			put(tx, []string{platform, pkg}, id, map[string]string{"FixedVersion": fixed}),
			put(tx, []string{"vulnerability"}, id, map[string]any{
				"Title": "a hole made for a test", "Description": "It is in the database of this test alone.",
				"Severity": severity, "References": []string{"https://example.org/" + id},
			}),
		)
	})
	if err := firstError(err, db.Close()); err != nil {
		return err
	}
	now := time.Now().UTC()
	metadata, err := json.Marshal(map[string]any{
		"Version": 2, "UpdatedAt": now, "NextUpdate": now.AddDate(1, 0, 0), "DownloadedAt": now,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "metadata.json"), metadata, 0o644)
}

func put(tx *bolt.Tx, buckets []string, key string, value any) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(buckets[0]))
	if err != nil {
		return err
	}
	for _, name := range buckets[1:] {
		if bucket, err = bucket.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	bytes, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return bucket.Put([]byte(key), bytes)
}

func firstError(errors ...error) error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}
