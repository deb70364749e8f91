"""The report of a build: one HTML file that opens offline, and its JSON twin.

    details = read_details(Path("build/digits"))
    write_page(details, Path("out.html"))

`details` reads OUT/NAME/details.json, which may lack anything; `page` puts the sections together; `markup` is
the only place that writes `<`, so nothing from the details can become markup. Charts are SVG in percent of
their own width, so that text keeps its size on a phone.
"""
