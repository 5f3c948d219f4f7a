#!/usr/bin/env bash
# Passes on what go test says, without the packages that hold no test.
grep -v '\[no test files\]' || true
