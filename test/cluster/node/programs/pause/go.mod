module cogniforge.dev/pause

go 1.24
