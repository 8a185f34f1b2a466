"""Who shares what with whom: the identities under which affiliates may be one."""
