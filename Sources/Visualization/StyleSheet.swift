/// The contact sheet's style.
enum StyleSheet {
  static let css = """
    :root{color-scheme:light dark;--paper:#fbfbfc;--card:#fff;--ink:#17181c;--soft:#5a5e68;--line:#dcdee4;--link:#1b4fa8}
    @media (prefers-color-scheme:dark){:root{--paper:#121317;--card:#1a1c21;--ink:#ececf0;--soft:#a3a7b2;--line:#31343c;\
    --link:#8ab4f8}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:2rem clamp(1rem,4vw,3rem) 4rem;max-width:120rem;background:var(--paper);color:var(--ink);\
    font:1rem/1.5 system-ui,"DejaVu Sans",sans-serif}
    h1{margin:0;font-size:1.75rem;line-height:1.25;overflow-wrap:anywhere}
    h2{margin:0;font-size:1.25rem;overflow-wrap:anywhere}
    p{margin:.25rem 0 1rem;color:var(--soft);overflow-wrap:anywhere}
    p b{color:var(--ink);font-weight:600}
    a{color:var(--link)}
    a:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:0 0 1.5rem}
    dt{color:var(--soft)}
    dd{margin:0;overflow-wrap:anywhere}
    .scroll{overflow-x:auto;margin-bottom:2.5rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card)}
    table{width:100%;border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
    th,td{padding:.4rem .75rem;text-align:right;white-space:nowrap}
    th{font-weight:600}
    thead th{color:var(--soft);border-bottom:1px solid var(--line)}
    tbody tr+tr>*{border-top:1px solid var(--line)}
    :is(th,td):is(:nth-child(2),:nth-child(3),:nth-child(4)){text-align:left}
    tbody th{max-width:20rem;overflow:hidden;text-overflow:ellipsis}
    section{margin:0 0 2.5rem;padding:1.25rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card)}
    figure{margin:0 0 1rem;overflow-x:auto}
    figure:last-child{margin-bottom:0}
    img{display:block;image-rendering:pixelated}
    img.fit{max-width:100%;height:auto;image-rendering:auto}
    figcaption{position:sticky;left:0;padding-top:.25rem;color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
    @media print{body{padding:0}section{break-inside:avoid;border:0;padding:0}figure{overflow:visible}img{max-width:100%;\
    height:auto}}
    """

  /// SHA-256 of ``css`` in base64, by which the page's policy knows it; a test compares the two.
  static let hash = "sha256-2TRaFGd39AJvXgywioqhwN2ASEFVDAoJuU0Kg83jiMA="
}
