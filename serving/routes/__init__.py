"""One file a group of routes: read the request, call one verb, shape the answer."""
