"""Pure torch: the problem of one region, its certificate, and two solvers behind one interface.

``dense`` is the plain reference, ``working_set`` the fast exact method; ``api`` chooses.
"""
