module cogniforge.dev/test/web

go 1.24
