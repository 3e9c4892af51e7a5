# The applications of the mesh: narrows-echo alone, linked statically. `make images`
# builds it from this repository and hands it over as the whole context.
FROM scratch
COPY narrows-echo /narrows-echo
USER 65534:65534
ENTRYPOINT ["/narrows-echo"]
